"""Django's PostgreSQL backend with a pool whose connections are looked at without asking the server."""
