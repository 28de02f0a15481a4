"""Notes of reads as a Django app."""

from django.apps import AppConfig


class ReadsConfig(AppConfig):
    """Notes of who read what is not open."""

    name = "allmende.web.reads"
    label = "reads"
