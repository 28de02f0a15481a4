"""What is held of somebody in runs of rules."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import register
from allmende.web.accounts.rows import Rows
from allmende.web.rulebook.models import RuleRun


def register_all() -> None:
    """Those of this app."""
    register(
        Rows(
            RuleRun, place="rule-runs", title=_("Runs of rules that were asked for"),
            fate=_("stays, without the name"), order=40, by=("asker",), sections=("Back office",), erasure="unname",
            told=("rule", "start", "end", "state", "asked", "over"),
        )
    )  # fmt: skip
