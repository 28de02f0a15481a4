"""Stories for those who write and publish them."""

import difflib
from hashlib import blake2b
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.errors import Conflict, Forbidden, InvalidInput
from allmende.domain.stories import StoryContent, StoryText
from allmende.web.accounts.roles import asks_for, may
from allmende.web.boards.seeing import as_anybody
from allmende.web.boards.telling import named_in
from allmende.web.stories import blocks, keeping, seeing
from allmende.web.stories.forms import TextForm, languages
from allmende.web.stories.models import Story, StoryVersion

_READ_WRITE = ("GET", "HEAD", "POST")
_OVERTAKEN = "overtaken"


@require_safe
@asks_for("stories.write")
def listing(request: HttpRequest) -> HttpResponse:
    """Every story that people wrote, with its state."""
    listed = [{"it": each, "text": seeing.text_of(each.content)[1]} for each in Story.objects.all()]
    return render(request, "stories/desk.html", {"listed": listed})


@require_http_methods(_READ_WRITE)
@asks_for("stories.write")
def new(request: HttpRequest) -> HttpResponse:
    """The first language of a new one."""
    language = _language(request)
    form = TextForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _keeps(request):
        story = keeping.create(request.user, form.cleaned_data["kind"], language, form.text())  # type: ignore[arg-type]  # guarded
        return HttpResponseRedirect(_address(story, language))
    return _form(request, form, language, None)


@require_http_methods(_READ_WRITE)
@asks_for("stories.write")
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """One language of the draft: kept, looked at before, or taken out."""
    story, language = _story_or_404(name), _language(request)
    content = story.content
    text = content.texts.get(language, StoryText(title=""))
    initial = {"title": text.title, "summary": text.summary, "body": text.body, "kind": content.kind}
    form = TextForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and request.POST.get("then") == "drop":
        try:
            keeping.write(request.user, story, language, None, content.kind)  # type: ignore[arg-type]  # guarded
            return HttpResponseRedirect(_address(story, next(iter(story.content.texts))))
        except InvalidInput as error:
            form.add_error(None, str(error))
    elif request.method == "POST" and form.is_valid() and _keeps(request):
        # Two windows, or the way back: what was kept meanwhile is not overwritten by one who did not see it.
        if request.POST.get("seen", _mark(story, language)) == _mark(story, language):
            keeping.write(request.user, story, language, form.text(), form.cleaned_data["kind"])  # type: ignore[arg-type]  # guarded
            return HttpResponseRedirect(_address(story, language))
        words = _(
            "This text was changed after you had opened it, and yours is not kept. Keep it once more to put it in the"
            " place of the other one, which you see where you open this page in another window."
        )
        form.add_error(None, ValidationError(words, code=_OVERTAKEN))
    return _form(request, form, language, story)


def _mark(story: Story | None, language: str) -> str:
    """What a language's draft is known by, until somebody keeps another one."""
    if story is None:
        return ""
    said = msgspec.json.encode([story.content.texts.get(language), story.content.kind])
    return blake2b(said, digest_size=8).hexdigest()


def _seen(request: HttpRequest, form: TextForm, story: Story | None, language: str) -> str:
    """The mark of what the person knows of: looking at a preview is no looking at what another one kept."""
    told = form.has_error("__all__", _OVERTAKEN)
    return request.POST.get("seen", "") if request.method == "POST" and not told else _mark(story, language)


def _form(request: HttpRequest, form: TextForm, language: str, story: Story | None) -> HttpResponse:
    sent = request.method == "POST"
    body = form.data.get("body", "") if sent else form.initial.get("body", "")
    there = story.content.texts if story else {}
    values = {
        "form": form, "story": story, "language": language, "languages": languages().items(), "there": set(there),
        "language_title": languages()[language], "wrongs": blocks.wrongs(body, own=True),
        "seen": _seen(request, form, story, language), "parts": blocks.draw(request, body, own=True) if body else [],
    }  # fmt: skip
    return render(request, "stories/edit.html", values, status=422 if form.errors else 200)


@require_http_methods(_READ_WRITE)
@asks_for("stories.write")
def pictures(request: HttpRequest, name: str) -> HttpResponse:
    """The pictures of a story, with the block that shows each; another one is sent, or one deleted."""
    story, wrong = _story_or_404(name), ""
    if request.method == "POST":
        sent, gone = request.FILES.get("file"), request.POST.get("drop", "")
        try:
            if gone:
                keeping.drop_picture(request.user, story, gone)  # type: ignore[arg-type]  # guarded
            elif sent is None:
                raise InvalidInput(_("Please choose a file."), where="file")
            else:
                keeping.add_picture(request.user, story, sent.read(settings.ALLMENDE.story_picture_bytes + 1))  # type: ignore[arg-type]  # guarded
            return HttpResponseRedirect(reverse("stories:pictures", args=[name]))
        except InvalidInput as error:
            wrong = error.message
    values = {
        "story": story, "title": seeing.text_of(story.content)[1].title, "wrong": wrong,
        "pictures": story.pictures.defer("body"), "most": settings.ALLMENDE.story_pictures,
        "megabytes": settings.ALLMENDE.story_picture_bytes // 1_000_000,
    }  # fmt: skip
    return render(request, "stories/pictures.html", values, status=422 if wrong else 200)


@require_http_methods(_READ_WRITE)
@asks_for("stories.write")
def publish(request: HttpRequest, name: str) -> HttpResponse:
    """What will be different; by POST somebody asks for it, and somebody else publishes it, or gives it back."""
    story, wrong = _story_or_404(name), ""
    releases = may(request.user, "stories.release")
    names = _names(request, story.content)
    if request.method == "POST" and not (names and request.POST.get("then") != "decline"):
        try:
            _do(request, story, request.POST.get("then", ""), releases)
            to = "stories:story" if story.version and request.POST.get("then") == "publish" else "stories:publish"
            return HttpResponseRedirect(reverse(to, args=[name]))
        except (Forbidden, InvalidInput, Conflict) as error:
            wrong = str(error)
    published = StoryVersion.objects.filter(story=story, number=story.version).first()
    values = {
        "story": story, "title": seeing.text_of(story.content)[1].title, "releases": releases, "names": names,
        "differences": _differences(published.content if published else StoryContent(), story.content),
        "versions": story.versions.select_related("user", "author"), "wrong": wrong,
    }  # fmt: skip
    return render(request, "stories/publish.html", values, status=422 if request.method == "POST" else 200)


def _do(request: HttpRequest, story: Story, deed: str, releases: bool) -> None:
    user: Any = request.user  # guarded
    if deed == "propose":
        keeping.propose(user, story)
    elif not releases:
        raise Forbidden(deed)
    elif deed == "publish":
        keeping.publish(user, story)
    elif deed == "decline":
        keeping.decline(user, story)
    elif deed == "withdraw":
        keeping.withdraw(user, story)


@require_http_methods(_READ_WRITE)
@asks_for("stories.write")
def version(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """What was published once, compared with the draft; by POST it becomes the draft again."""
    story = _story_or_404(name)
    found = StoryVersion.objects.filter(story=story, number=number).select_related("user", "author").first()
    if found is None:
        raise Http404(str(number))
    if request.method == "POST":
        keeping.change(request.user, story, found.content)  # type: ignore[arg-type]  # guarded
        return HttpResponseRedirect(reverse("stories:publish", args=[name]))
    values = {
        "story": story, "version": found, "title": seeing.text_of(found.content)[1].title,
        "differences": _differences(found.content, story.content),
    }  # fmt: skip
    return render(request, "stories/version.html", values)


@require_http_methods(_READ_WRITE)
@asks_for("stories.release")
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """With all its versions, once that was confirmed."""
    story = _story_or_404(name)
    if request.method == "POST":
        keeping.delete(request.user, story)  # type: ignore[arg-type]  # guarded
        return HttpResponseRedirect(reverse("stories:desk"))
    return render(request, "stories/delete.html", {"story": story, "title": seeing.text_of(story.content)[1].title})


def _names(request: HttpRequest, content: StoryContent) -> list[str]:
    """Names of what is hidden in what everybody would read."""
    anybody, said = as_anybody(request), []
    for text in content.texts.values():
        said += [text.title, text.summary]
        for part in blocks.draw(anybody, text.body, own=True):
            said.append(part.tile.title if part.tile else str(part.html))
    return named_in(request, said)


def _differences(before: StoryContent, after: StoryContent) -> list[tuple[str, list[tuple[str, str]]]]:
    """By language: lines that went (``-``) and came (``+``), with a few around them."""
    found = []
    for language, title in languages().items():
        one, other = (_lines(content, language) for content in (before, after))
        lines = [line for line in difflib.unified_diff(one, other, lineterm="", n=1) if line[:2] not in ("--", "++")]
        if lines:
            found.append((title, [(line[:1], line[1:]) for line in lines if not line.startswith("@@")]))
    return found


def _lines(content: StoryContent, language: str) -> list[str]:
    text = content.texts.get(language)
    return [text.title, text.summary, *text.body.splitlines()] if text else []


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("language", "")
    return asked if asked in languages() else settings.LANGUAGE_CODE


def _keeps(request: HttpRequest) -> bool:
    return request.POST.get("then") == "keep"


def _address(story: Story, language: str) -> str:
    return f"{reverse('stories:edit', args=[story.handle])}?language={language}"


def _story_or_404(name: str) -> Story:
    story = Story.objects.filter(handle=name).first()
    if story is None:
        raise Http404(name)
    return story
