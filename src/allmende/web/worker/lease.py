"""Takes, renews and gives back a lease."""

import os
import secrets
import socket
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from allmende.web.worker.models import Lease

SECONDS = 30.0
"""How long a holder that fell silent keeps others waiting."""


class Holder:
    """One process's claim to a lease."""

    def __init__(self, name: str, *, seconds: float = SECONDS) -> None:
        self.name = name
        self.seconds = seconds
        self.id = secrets.token_hex(16)
        self.host = socket.gethostname()

    def take(self) -> bool:
        """Take it, or renew it. False where somebody else holds it.

        A holder on this machine whose process is gone is not waited for.
        """
        now = timezone.now()
        with transaction.atomic():
            known = Lease.objects.select_for_update().filter(name=self.name).first()
            if known is not None and known.holder != self.id and known.expires > now and not self._gone(known):
                return False
            Lease.objects.update_or_create(
                name=self.name,
                defaults={
                    "holder": self.id,
                    "host": self.host,
                    "process": os.getpid(),
                    "expires": now + timedelta(seconds=self.seconds),
                },
            )
        return True

    def give_back(self) -> None:
        """Let the next one work at once."""
        Lease.objects.filter(name=self.name, holder=self.id).delete()

    def _gone(self, lease: Lease) -> bool:
        if lease.host != self.host:
            return False
        try:
            os.kill(lease.process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False
