"""Grants. docs/reference/personal-data.md says the same of their personal data to the public."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

KEPT_DAYS = 3 * 365
"""So long after its end a grant is kept: whom the data are about has to be told who received them (GDPR, Art. 15)."""


class Grant(models.Model):
    """Somebody may read one dataset that is not open. It ends by its date or when it is withdrawn, and is never changed
    otherwise: what is to be different is a new one.

    Personal data, deleted KEPT_DAYS after the end, and what names a person with their account:

    - ``user``: who received the data; where it is not empty, ``organisation`` and ``role`` are.
    - ``granted_by``, ``withdrawn_by``: who decided, so that a decision can be explained.
    """

    dataset = models.CharField(max_length=200)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, null=True, blank=True, related_name="grants"
    )
    role = models.CharField(max_length=20, blank=True)
    """Everybody who has at least this role in the house, or in ``organisation`` where both are given."""
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="grants"
    )
    purpose = models.CharField(max_length=500)
    """What the data may be used for; stands on the public page on transparency."""
    until = models.DateField()
    """The last day of it, in the city's zone."""
    at = models.DateTimeField(default=timezone.now)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    withdrawn = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("dataset", "-at")
        constraints = (
            models.CheckConstraint(
                name="grant_is_for_somebody",
                condition=(
                    models.Q(user__isnull=False, organisation__isnull=True, role="")
                    | (models.Q(user__isnull=True) & (models.Q(organisation__isnull=False) | ~models.Q(role="")))
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset} {self.user_id or ''} {self.organisation_id or ''} {self.role} until {self.until}"

    @classmethod
    def prune(cls) -> int:
        """Delete what ended long ago; gives how many."""
        limit = timezone.now() - timedelta(days=KEPT_DAYS)
        gone, _ = cls.objects.filter(models.Q(withdrawn__lt=limit) | models.Q(until__lt=limit.date())).delete()
        return gone
