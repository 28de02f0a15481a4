"""Stories for those who read them."""

from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.web.accounts.roles import may
from allmende.web.stories import blocks, seeing
from allmende.web.stories.forms import KINDS, languages
from allmende.web.stories.models import StoryPicture, StoryVersion
from allmende.web.stories.pictures import MIME

FED = 30
"""Stories of the feed."""


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All that are published, the newest first."""
    listed = []
    for found in seeing.list_stories(request):
        language, text = seeing.text_of(found.content)
        listed.append({"it": found, "text": text, "language": _tag(language), "kind": KINDS[found.content.kind]})
    return render(request, "stories/list.html", {"listed": listed, "writes": may(request.user, "stories.write")})


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """One of them; ``?language=`` in another language that it is there in."""
    found = seeing.find(request, name)
    if found is None:
        raise Http404(name)
    language, text = seeing.text_of(found.content, request.GET.get("language", ""))
    own = found.own is not None
    values = {
        "story": found, "text": text, "language": _tag(language), "parts": blocks.draw(request, text.body, own=own),
        "others": [
            (code, _tag(code), title)
            for code, title in languages().items()
            if code in found.content.texts and code != language
        ],
        "kind": KINDS[found.content.kind], "writes": own and may(request.user, "stories.write"),
    }  # fmt: skip
    return render(request, "stories/story.html", values)


@require_safe
def picture(request: HttpRequest, key: str) -> HttpResponse:
    """A picture that a published text shows; others are there for those who write. The bytes of a key never change."""
    kept = StoryPicture.objects.select_related("story").filter(key=key).first()
    if kept is None:
        raise Http404(key)
    shown = StoryVersion.objects.filter(story=kept.story, number=kept.story.version).first()
    public = shown is not None and any(key in blocks.pictures_in(text.body) for text in shown.content.texts.values())
    if not public and not may(request.user, "stories.write"):
        raise Http404(key)
    response = HttpResponse(bytes(kept.body), content_type=MIME)
    response["Cache-Control"] = "public, max-age=3600" if public else "private, no-store"
    response["ETag"] = tag = f'"{key}"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return get_conditional_response(request, etag=tag, response=response) or response


class _Feed(Rss201rev2Feed):
    def latest_post_date(self) -> datetime:
        """Of the newest story; without one the feed never changed, whenever it is asked for."""
        return max((item["pubdate"] for item in self.items), default=datetime(1970, 1, 1, tzinfo=UTC))


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """The newest as RSS 2.0, in the language of the request."""
    city = request.house.profile.name  # type: ignore[attr-defined]
    made = _Feed(
        title=_("Stories from %(city)s") % {"city": city},
        link=request.build_absolute_uri(reverse("stories:list")),
        description=_("What the data tell, in words and with charts that follow them. With exercises for schools."),
        language=_tag(get_language() or "de"),
        feed_url=request.build_absolute_uri(),
    )
    for found in seeing.list_stories(request)[:FED]:
        _language, text = seeing.text_of(found.content)
        address = request.build_absolute_uri(reverse("stories:story", args=[found.name]))
        made.add_item(text.title, address, text.summary, pubdate=found.at, unique_id=address)
    response = HttpResponse(content_type=made.content_type)
    made.write(response, "utf-8")
    return response


def _tag(language: str) -> str:
    """As BCP 47: simple German is German to a voice that reads it out."""
    return language.split("-")[0]
