"""Fields of tiles' forms: streams that are looked for by words and ticked, and datasets that one may read."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from allmende.domain.catalogue import may_read
from allmende.web.boards import streams
from allmende.web.boards.words import say
from allmende.web.explorer.choosing import find_streams

SEARCH = "look_for"
"""The form's field with words to look for; as a button's name it asks for the list without keeping anything."""


_FOUND = 30
"""Streams that a search offers."""


class StreamsField(forms.MultipleChoiceField):
    """Ids of streams; its page shows those that were chosen and those that were found, to be ticked."""

    widget = forms.CheckboxSelectMultiple(attrs={"class": "kern-form-check__checkbox"})

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most
        self.found: list[streams.Stream] = []

    def offer(self, request: HttpRequest, chosen: Sequence[str], words: str) -> None:
        """Let what is chosen and may be seen, and what is found by ``words``, be the choices."""
        known = list(streams.of(request, chosen[:200]).values())
        names = {stream.id for stream in known}
        hits = find_streams(request, words, simulated=True).choices if words.strip() else ()
        found = streams.of(request, [hit.id for hit in hits][:_FOUND])
        self.found = [each for each in found.values() if each.id not in names]
        self.choices = [(stream.id, f"{stream.label} ({stream.id})") for stream in (*known, *self.found)]

    def clean(self, value: Any) -> list[str]:
        """At most ``most``, all of them to be seen."""
        ids = list(dict.fromkeys(super().clean(value)))
        if len(ids) > self.most:
            raise forms.ValidationError(_("These are too many: at most %(most)d."), params={"most": self.most})
        return ids


class DatasetField(forms.ChoiceField):
    """Id of a dataset that the person may read."""

    def offer(self, request: HttpRequest) -> None:
        """Let these be the choices."""
        house = request.house  # type: ignore[attr-defined]
        readable = [each for each in house.profile.datasets.values() if may_read(each, house.reader)]
        self.choices = [("", "–"), *((each.id, say(dict(each.title))) for each in readable)]
