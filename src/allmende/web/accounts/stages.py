"""Steps of a log-in that are ours."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage


class ConfirmedStage(EmailVerificationStage):
    """Whoever registered confirms their e-mail address first; accounts without one were made by an administrator."""

    def handle(self) -> tuple[Any, bool]:
        """The answer that ends the log-in, or None and True to go on."""
        user = self.login.user
        if user is not None and not EmailAddress.objects.filter(user=user, verified=False).exists():
            return None, True
        found: tuple[Any, bool] = super().handle()
        return found
