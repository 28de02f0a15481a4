"""Stories as plain data: pages of text and live charts, and those that a city's profile brings.

A file ``stories/NAME.LANGUAGE.md`` is one language of a story: a head in TOML between two lines ``+++``, then Markdown.
What a block of the text means is the pages' to say (:mod:`allmende.web.stories.blocks`).
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Literal

import msgspec

from allmende.domain.commons import names_of
from allmende.domain.profile_checks import ProfileError, check_id
from allmende.domain.tables import convert, plain

FOLDER = "stories/"
_NAME = re.compile(r"(?P<story>[^./]+)\.(?P<language>[a-z]{2,3}(?:-[A-Za-z]+)?)\.md\Z")
_FENCE = "+++"
_MOST = 100_000
"""Characters of a text."""


class StoryText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A story in one language."""

    title: str
    summary: str = ""
    body: str = ""
    """Markdown."""


class StoryContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a story says: this is what is drafted, published, kept by version and compared."""

    kind: Literal["story", "exercise"] = "story"
    """An exercise is for schools."""
    texts: dict[str, StoryText] = {}
    """By language: ``de``, ``en``, ``de-simple``."""


class StoryProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A story that the city has from its profile."""

    id: str
    date: str
    """The day of it, ``2026-11-22``."""
    content: StoryContent
    folder: str = FOLDER
    """Where its files stand, as errors name them."""


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    date: str
    summary: str = ""
    kind: Literal["story", "exercise"] = "story"


def parse_stories(files: Mapping[str, bytes], languages: list[str]) -> dict[str, StoryProfile]:
    """The stories of all files ``stories/*.md``, the newest first. Raises ProfileError with the file and the key.

    Each is there in every language of the profile; it may be there in others too. A story that a service brings is left
    out, in all languages, where there is one of its id.
    """
    heads: dict[str, dict[str, _Head]] = {}
    texts: dict[str, dict[str, StoryText]] = {}
    places: dict[str, str] = {}
    for name, inner in names_of(files, FOLDER, ".md"):
        match = _NAME.match(inner)
        if match is None:
            raise ProfileError(name, "is called NAME.LANGUAGE.md, e.g. trees.de.md")
        story, language = match["story"], match["language"]
        check_id(story, name)
        place = name.removesuffix(inner)
        if places.setdefault(story, place) != place:
            continue  # the city tells it itself
        head, body = _split(name, files[name])
        heads.setdefault(story, {})[language] = head
        said = StoryText(title=head.title, summary=head.summary, body=body)
        texts.setdefault(story, {})[language] = said
    found = [_story(key, places[key], heads[key], texts[key], languages) for key in texts]
    return {story.id: story for story in sorted(found, key=lambda each: (each.date, each.id), reverse=True)}


def _story(
    key: str, folder: str, heads: Mapping[str, _Head], texts: dict[str, StoryText], languages: list[str]
) -> StoryProfile:
    for language in languages:
        if language not in texts:
            place = f"{folder}{key}.{language}.md"
            raise ProfileError(place, "is missing: every language of the profile has its text")
    first = heads[languages[0]]
    for language, head in heads.items():
        for name in ("date", "kind"):
            if getattr(head, name) != getattr(first, name):
                raise ProfileError(f"{folder}{key}.{language}.md: {name}", "is another one than in the first language")
    return StoryProfile(id=key, date=first.date, content=StoryContent(kind=first.kind, texts=texts), folder=folder)


def _split(name: str, body: bytes) -> tuple[_Head, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise ProfileError(name, "is no UTF-8: %(error)s", error=error) from None
    parts = text.replace("\r\n", "\n").split(f"{_FENCE}\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise ProfileError(name, "begins with a head between two lines +++")
    try:
        head = convert(plain(tomllib.loads(parts[1])), _Head, name)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(name, "is no TOML: %(error)s", error=error) from None
    for key in ("title", "date"):
        if not getattr(head, key).strip():
            raise ProfileError(f"{name}: {key}", "is empty")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", head.date, re.ASCII):
        raise ProfileError(f"{name}: date", "is a day, e.g. 2026-11-22")
    if len(parts[2]) > _MOST:
        raise ProfileError(name, "is longer than %(most)s characters", most=_MOST)
    return head, parts[2].strip()
