"""Who may see data that are not open: to whom, for what purpose, until when."""
