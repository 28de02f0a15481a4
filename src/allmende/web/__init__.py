"""The only wiring: settings, accounts, portal, jobs, command line, migrations."""
