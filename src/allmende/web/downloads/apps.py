"""Downloads as a Django app."""

from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    """Files that people order, and dumps."""

    name = "allmende.web.downloads"
    label = "downloads"
