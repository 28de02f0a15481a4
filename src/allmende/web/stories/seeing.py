"""Which stories there are for those who look, and in which language."""

from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from allmende.domain.stories import StoryContent, StoryText
from allmende.web.stories.models import Story, StoryVersion


class Found(NamedTuple):
    """A story that all may see."""

    name: str
    content: StoryContent
    at: datetime
    own: Story | None
    """None for one of the profile."""


def find(request: HttpRequest, name: str) -> Found | None:
    """The story of that name that is published, if there is one."""
    profile = request.house.profile.stories.get(name)  # type: ignore[attr-defined]
    if profile is not None:
        return Found(name, profile.content, _day(profile.date), None)
    story = Story.objects.filter(handle=name, version__gt=0).first()
    version = StoryVersion.objects.filter(story=story, number=story.version).first() if story else None
    if story is None or version is None:
        return None
    return Found(name, version.content, story.published or version.at, story)


def list_stories(request: HttpRequest) -> list[Found]:
    """All of them, the newest first."""
    stories = request.house.profile.stories.values()  # type: ignore[attr-defined]
    found = [Found(each.id, each.content, _day(each.date), None) for each in stories]
    own = {story.pk: story for story in Story.objects.filter(version__gt=0)}
    for version in StoryVersion.objects.filter(story__in=list(own)):
        story = own[version.story_id]
        if version.number == story.version:
            found.append(Found(story.handle, version.content, story.published or version.at, story))
    return sorted(found, key=lambda each: (each.at, each.name), reverse=True)


def text_of(content: StoryContent, language: str = "") -> tuple[str, StoryText]:
    """The language and its text: the one asked for, else the active one, else the nearest that there is."""
    active = get_language() or settings.LANGUAGE_CODE
    for each in (language, active, active.split("-")[0], "de"):
        if each in content.texts:
            return each, content.texts[each]
    return next(iter(content.texts.items()))


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC)
