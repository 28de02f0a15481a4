"""What people do with stories. Each deed is one transaction with its line in the audit log."""

import secrets
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from allmende.domain.errors import Conflict, Forbidden, InvalidInput
from allmende.domain.stories import StoryContent, StoryText
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import DEEDS, ROLES, may
from allmende.web.boards.models import new_handle
from allmende.web.stories import blocks, pictures
from allmende.web.stories.models import Story, StoryPicture, StoryVersion, as_plain


def create(user: User, kind: str, language: str, text: StoryText) -> Story:
    """A draft in one language."""
    content = msgspec.convert({"kind": kind}, StoryContent)
    content = msgspec.structs.replace(content, texts={language: text})
    with transaction.atomic():
        story = Story.objects.create(handle=new_handle(text.title), author=user, draft=as_plain(content))
        _note(user, "story.create", story)
    return story


def change(user: User, story: Story, content: StoryContent) -> None:
    """Another draft. Whoever asked for the one before to be published has to ask anew."""
    with transaction.atomic():
        kept = Story.objects.select_for_update().get(pk=story.pk)
        if kept.content != content:
            kept.draft, kept.author, kept.changed = as_plain(content), user, timezone.now()
            kept.proposer = kept.proposed = None
            kept.save()
            _note(user, "story.change", kept, languages=sorted(content.texts))
    story.refresh_from_db()


def write(user: User, story: Story, language: str, text: StoryText | None, kind: str) -> None:
    """One language of the draft; None takes it out. Raises InvalidInput for the last one."""
    content = story.content
    texts = {**content.texts, language: text} if text else {k: v for k, v in content.texts.items() if k != language}
    if not texts:
        raise InvalidInput(_("A story is there in one language at least."), where="language")
    plain = {"kind": kind, "texts": msgspec.to_builtins(texts)}
    change(user, story, msgspec.convert(plain, StoryContent))


def propose(user: User, story: Story) -> None:
    """Ask for the draft to be published. Raises InvalidInput where a block is wrong."""
    with transaction.atomic():
        kept = Story.objects.select_for_update().get(pk=story.pk)
        _check(kept)
        kept.proposer, kept.proposed = user, timezone.now()
        kept.save()
        _note(user, "story.propose", kept)
    story.refresh_from_db()


def publish(user: User, story: Story) -> StoryVersion:
    """Let all see the draft. Raises Conflict where nobody asked for it, Forbidden for whoever wrote or proposed it
    while somebody else may publish, and InvalidInput where a block is wrong."""
    with transaction.atomic():
        kept = Story.objects.select_for_update().get(pk=story.pk)
        if kept.proposed is None:
            raise Conflict(_("Nobody has asked for it to be published, or it was changed since."))
        _check(kept)
        alone = _check_second(user, kept)
        newest = StoryVersion.objects.filter(story=kept).values_list("number", flat=True).first() or 0
        version = StoryVersion.objects.create(
            story=kept, number=newest + 1, author=kept.author, user=user, body=kept.draft
        )
        kept.version, kept.changed = version.number, version.at
        kept.published = kept.published or version.at
        kept.proposer = kept.proposed = None
        kept.save()
        _note(user, "story.publish", kept, version=version.number, **alone)
    story.refresh_from_db()
    return version


def decline(user: User, story: Story) -> None:
    """Give a proposal back as a draft."""
    with transaction.atomic():
        Story.objects.filter(pk=story.pk).update(proposer=None, proposed=None)
        _note(user, "story.decline", story)
    story.refresh_from_db()


def withdraw(user: User, story: Story) -> None:
    """Let nobody see it any more; draft and versions stay."""
    with transaction.atomic():
        Story.objects.filter(pk=story.pk).update(version=0, changed=timezone.now())
        _note(user, "story.withdraw", story, version=story.version)
    story.refresh_from_db()


def delete(user: User, story: Story) -> None:
    """With all its versions, for good."""
    with transaction.atomic():
        _note(user, "story.delete", story, version=story.version)
        story.delete()


def add_picture(user: User, story: Story, raw: bytes) -> StoryPicture:
    """Keep a picture for a story. Raises InvalidInput for what is none, is too large, or is one too many."""
    config = settings.ALLMENDE
    if len(raw) > config.story_picture_bytes:
        most = f"{config.story_picture_bytes / 1_000_000:.0f}"
        raise InvalidInput(_("The file is larger than %(most)s MB.") % {"most": most}, where="file")
    made = pictures.make(raw, megapixels=config.story_picture_megapixels)
    with transaction.atomic():
        kept = Story.objects.select_for_update().get(pk=story.pk)
        if kept.pictures.count() >= config.story_pictures:
            raise InvalidInput(
                _("A story has at most %(most)d pictures.") % {"most": config.story_pictures}, where="file"
            )
        key = secrets.token_hex(16)
        picture = StoryPicture.objects.create(key=key, story=kept, body=made.body, width=made.width, height=made.height)
        _note(user, "story.picture.add", kept, picture=key)
    return picture


def drop_picture(user: User, story: Story, key: str) -> None:
    """Delete a picture of a story, also where a published text names it: it is left out there."""
    with transaction.atomic():
        if StoryPicture.objects.filter(story=story, key=key).delete()[0]:
            _note(user, "story.picture.delete", story, picture=key)


def _check(story: Story) -> None:
    there = set(story.pictures.values_list("key", flat=True))
    for language, text in story.content.texts.items():
        if missing := blocks.pictures_in(text.body) - there:
            words = _("There is no such picture of this story: %(key)s") % {"key": min(missing)}
            raise InvalidInput(f"{language}: {words}", where="body")
        for wrong in blocks.wrongs(text.body, own=True):
            raise InvalidInput(f"{language}, {wrong.line}: {wrong.words}", where="body")


def _check_second(user: User, story: Story) -> dict[str, Any]:
    """What the audit log says of it that somebody publishes what they wrote themselves."""
    if user.pk not in (story.author_id, story.proposer_id):
        return {}
    if not settings.ALLMENDE.four_eyes:
        return {"four_eyes": False}
    least = ROLES[ROLES.index(DEEDS["stories.release"]) :]
    held = Q(is_superuser=True) | Q(memberships__organisation=None, memberships__role__in=least)
    others = User.objects.filter(held, is_active=True).exclude(pk=user.pk).distinct()
    if not any(may(each, "stories.release") for each in others):
        return {"alone": True}
    raise Forbidden(_("Four eyes: somebody else has to publish what you wrote or proposed."))


def _note(user: User, action: str, story: Story, **detail: Any) -> None:
    record(f"user:{user.get_username()}", action, f"story:{story.handle}", **detail)
