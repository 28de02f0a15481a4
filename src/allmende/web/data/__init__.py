"""The measured world in Django's database: its migrations, and the connections that the store gets."""
