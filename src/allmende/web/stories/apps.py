"""Stories as a Django app."""

from collections.abc import Iterator

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from allmende.city.finding import Findable, Kind
from allmende.city.instruments import Instrument


def findable(request: HttpRequest) -> Iterator[Findable]:
    """Every story that is published, in the active language. Not by its text: a block in it may tell of what whoever
    asks may not see."""
    from allmende.web.stories.seeing import list_stories, text_of

    for found in list_stories(request):
        text = text_of(found.content)[1]
        yield Findable(found.name, text.title, reverse("stories:story", args=[found.name]), text.summary)


class StoriesConfig(AppConfig):
    """Stories and exercises, with live blocks."""

    name = "allmende.web.stories"
    label = "stories"
    instrument = Instrument(
        title=_("Stories"),
        summary=_("What the data tell, in words and with charts that follow them. With exercises for schools."),
        address="stories:list",
        order=35,
    )

    finds = (Kind("stories", _("Stories"), findable, order=35),)

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.stories.holdings import register_all

        register_all()
