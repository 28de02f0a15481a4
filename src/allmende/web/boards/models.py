"""Boards that people compose. Beside each field of personal data stand its purpose and when it is deleted;
docs/reference/personal-data.md says the same to the public, and a test holds the two together."""

import secrets
from datetime import date, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.text import slugify

from allmende.domain.boards import BoardContent
from allmende.web.accounts.models import Organisation, User
from allmende.web.ordered import OrderedJSONField

PRIVATE, ORGANISATION, ROLE, PUBLIC = "private", "organisation", "role", "public"


def new_handle(title: str) -> str:
    """A part of an address that tells what it is about, and that nobody guesses."""
    plain = slugify(title.casefold().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})))
    return f"{plain[:40].strip('-') or 'board'}-{secrets.token_hex(4)}"


class Board(models.Model):
    """A board of somebody's.

    Personal data, deleted with the board; one that is for its maker alone goes with the account, or on ``expires``,
    and of others ``user`` is emptied then:

    - ``user``: whose it is, who may change it; shown to nobody else.
    - ``draft``: what they compose; others see only what was published.
    """

    handle = models.SlugField(max_length=60, unique=True)
    """As addresses name it."""
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="boards")
    audience = models.CharField(max_length=20, default=PRIVATE)
    """PRIVATE, ORGANISATION (its members), ROLE (whoever has it in the house, or more), PUBLIC."""
    organisation = models.ForeignKey(Organisation, on_delete=models.SET_NULL, null=True, blank=True)
    role = models.CharField(max_length=20, blank=True)
    draft = OrderedJSONField(default=dict)
    """A BoardContent."""
    version = models.PositiveIntegerField(default=0)
    """What others see; 0: nothing yet."""
    created = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(default=timezone.now)
    expires = models.DateField(null=True, db_index=True)
    """When it is deleted, as long as it is PRIVATE."""

    class Meta:
        ordering = ("-changed", "-pk")

    def __str__(self) -> str:
        return self.handle

    @property
    def content(self) -> BoardContent:
        """The draft."""
        return as_content(self.draft)

    def defer(self, today: date) -> bool:
        """Count its days anew; whether that is another day than before."""
        until = today + timedelta(days=settings.ALLMENDE.board_days) if self.audience == PRIVATE else None
        self.expires, before = until, self.expires
        return until != before

    @classmethod
    def prune(cls) -> int:
        """Delete those whose day has come; gives how many."""
        over = cls.objects.filter(audience=PRIVATE, expires__lt=timezone.localdate())
        number = over.count()
        over.delete()
        return number


class BoardVersion(models.Model):
    """What was published once. None of them is changed; they go with the board.

    Personal data, deleted with the board:

    - ``user``: who published it; emptied with the account.
    """

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    body = OrderedJSONField(default=dict)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("board", "number"), name="one_board_version"),)

    def __str__(self) -> str:
        return f"{self.board_id} {self.number}"

    @property
    def content(self) -> BoardContent:
        """What it showed."""
        return as_content(self.body)


def as_content(said: dict[str, Any]) -> BoardContent:
    """What is kept, as the domain's value."""
    return msgspec.convert(said, BoardContent)


def as_plain(content: BoardContent) -> dict[str, Any]:
    """The domain's value, as it is kept."""
    plain: dict[str, Any] = msgspec.to_builtins(content)
    return plain
