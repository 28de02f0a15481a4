"""The app of the worker."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    """Leases."""

    name = "allmende.web.worker"
    label = "worker"
