"""Requests of persons as a Django app."""

from django.apps import AppConfig


class PersonsConfig(AppConfig):
    """Requests for access and erasure, and what a restored backup has to forget again."""

    name = "allmende.web.persons"
    label = "persons"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.persons.holdings import register_all

        register_all()
