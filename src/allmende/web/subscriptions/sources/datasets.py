"""Changes of datasets: a new one, another edition of its description, the end of one."""

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from allmende.domain.catalogue import may_know
from allmende.domain.editions import Edition
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.catalogue.history import label_of
from allmende.web.catalogue.models import Description
from allmende.web.subscriptions.happening import Happening, Texts, say
from allmende.web.subscriptions.models import Happened

_GONE = "gone"
_MOST_PLACES = 8


def in_all(words: Callable[[], str]) -> Texts:
    """The same words in every language of the pages."""
    said = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            said["plain" if code == "de-simple" else code] = words()
    return said


class Datasets:
    """Reads what the catalogue remembers (decision 59)."""

    name = "datasets"

    def read(self, profile: Profile, store: Store, after: int, now: int) -> Iterable[Happening]:
        """See Reading."""
        for kept in Description.objects.filter(changed__gt=after, gone__isnull=True):
            dataset = profile.datasets.get(kept.dataset)
            if dataset is None or not may_know(dataset, ANONYMOUS):
                continue
            editions = [edition for edition in msgspec.convert(kept.editions, list[Edition]) if edition.public]
            for edition in editions:
                if edition.at > after:
                    ended = dataset.withdrawn is not None and edition is editions[-1]
                    yield _edition(dataset.id, dataset.title, edition, ended=ended)
        for kept in Description.objects.filter(gone__gt=after, public=True):
            yield _gone(kept)

    def settle(self) -> None:
        """See Reading: nothing is remembered."""

    def is_public(self, profile: Profile, happened: Happened) -> bool:
        """See Reading: that one is gone may be told where everybody could know of it."""
        if happened.id.split(":")[2] == _GONE:
            return Description.objects.filter(dataset=happened.dataset, gone__isnull=False, public=True).exists()
        dataset = profile.datasets.get(happened.dataset)
        return dataset is not None and may_know(dataset, ANONYMOUS)


def _edition(dataset: str, title: Texts, edition: Edition, *, ended: bool) -> Happening:
    def head() -> str:
        if ended:
            return _("Withdrawn: %(title)s") % {"title": say(title)}
        if edition.number == 1:
            return _("New dataset: %(title)s") % {"title": say(title)}
        if edition.name:
            return _("New version %(name)s: %(title)s") % {"name": edition.name, "title": say(title)}
        return _("Changed description: %(title)s") % {"title": say(title)}

    def body() -> str:
        parts = [say(edition.reason)] if edition.reason else []
        places = list(dict.fromkeys(label_of(place) for place in edition.changed))[:_MOST_PLACES]
        if places:
            parts.append(_("Other than before: %(places)s.") % {"places": ", ".join(places)})
        return " ".join(parts)

    return Happening(
        id=f"datasets:{dataset}:{edition.number}",
        title=in_all(head),
        text=_filled(in_all(body)),
        changed=edition.at,
        since=edition.at,
        dataset=dataset,
        page=f"/dataset/{quote(dataset)}",
    )


def _gone(kept: Description) -> Happening:
    return Happening(
        id=f"datasets:{kept.dataset}:{_GONE}:{kept.gone}",
        title=in_all(lambda: _("No longer there: %(title)s") % {"title": say(kept.title) or kept.dataset}),
        text=_filled(in_all(lambda: say(kept.farewell))),
        changed=kept.gone or 0,
        since=kept.gone,
        dataset=kept.dataset,
        page=f"/dataset/{quote(kept.dataset)}",
    )


def _filled(texts: Mapping[str, str]) -> Texts:
    return {language: text for language, text in texts.items() if text}
