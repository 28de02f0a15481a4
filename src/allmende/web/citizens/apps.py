"""The app of citizens' own sensors."""

from django.apps import AppConfig
from django.db.models.signals import pre_delete


class CitizensConfig(AppConfig):
    """Own sensors. When an account goes, its sensors go the way that the person chose before."""

    name = "allmende.web.citizens"
    label = "citizens"

    def ready(self) -> None:
        """Be told of accounts that are deleted; say what is held of people."""
        from allmende.web.accounts.models import User
        from allmende.web.citizens.holdings import register_all
        from allmende.web.citizens.keeping import leave_with_account

        register_all()
        pre_delete.connect(leave_with_account, sender=User, dispatch_uid="citizens")
