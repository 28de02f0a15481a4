"""Stories that the city publishes: each is told once, when it is there."""

from collections.abc import Iterable, Mapping

from django.urls import reverse

from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.stories import StoryText
from allmende.domain.times import from_datetime, parse_instant
from allmende.web.stories.models import Story, StoryVersion
from allmende.web.subscriptions.happening import Happening, Texts
from allmende.web.subscriptions.models import Happened


class Stories:
    """Reads what is published here, and what the city's profile brings."""

    name = "stories"

    def read(self, profile: Profile, store: Store, after: int, now: int) -> Iterable[Happening]:
        """See Reading. A file of the profile says no moment at which it came: it came when it is seen first."""
        known = set(Happened.objects.filter(kind=self.name).values_list("pk", flat=True))
        for told in profile.stories.values():
            if _id(told.id) not in known:
                yield _happening(
                    told.id, told.content.texts, changed=now, since=parse_instant(f"{told.date}T00:00:00Z")
                )
        for story in Story.objects.filter(version__gt=0, published__isnull=False):
            if story.handle in profile.stories or story.published is None or from_datetime(story.published) <= after:
                continue
            version = StoryVersion.objects.filter(story=story, number=story.version).first()
            if version is not None:
                at = from_datetime(story.published)
                yield _happening(story.handle, version.content.texts, changed=at, since=at)

    def settle(self) -> None:
        """See Reading: nothing is remembered."""

    def is_public(self, profile: Profile, happened: Happened) -> bool:
        """See Reading: until it is withdrawn."""
        name = happened.id.partition(":")[2]
        return name in profile.stories or Story.objects.filter(handle=name, version__gt=0).exists()


def _id(name: str) -> str:
    return f"stories:{name}"


def _happening(name: str, texts: Mapping[str, StoryText], *, changed: int, since: int) -> Happening:
    def said(field: str) -> Texts:
        found = {language: getattr(text, field) for language, text in texts.items()}
        return {"plain" if language == "de-simple" else language: text for language, text in found.items() if text}

    return Happening(
        id=_id(name), title=said("title"), text=said("summary"), changed=changed, since=since,
        page=reverse("stories:story", args=[name]),
    )  # fmt: skip
