"""What is held of somebody in stories."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import register
from allmende.web.accounts.rows import Rows
from allmende.web.stories.models import Story, StoryVersion


def register_all() -> None:
    """Those of this app."""
    fate = _("stay without your name")
    register(
        Rows(
            Story, place="stories", title=_("Stories"), order=57, by=("author", "proposer"), fate=fate,
            told=("handle", "draft", "version", "created", "changed"), sections=("Stories",), erasure="unname",
        ),
        Rows(
            StoryVersion, place="story-versions", title=_("Versions of stories"), order=58, by=("author", "user"),
            fate=fate, told=("number", "at", "body"), sections=("Stories",), erasure="unname",
        ),
    )  # fmt: skip
