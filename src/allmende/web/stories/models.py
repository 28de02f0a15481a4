"""Stories that people write. Beside each field of personal data stand its purpose and when it is deleted;
docs/reference/personal-data.md says the same to the public, and a test holds the two together."""

from typing import Any

import msgspec
from django.db import models
from django.utils import timezone

from allmende.domain.stories import StoryContent
from allmende.web.accounts.models import User
from allmende.web.ordered import OrderedJSONField


class Story(models.Model):
    """A story of the house's.

    Personal data, emptied with the account; the story stays, it is the city's:

    - ``author``: who changed the draft last, so that nobody publishes alone what they wrote.
    - ``proposer``: who asks for it to be published.
    """

    handle = models.SlugField(max_length=60, unique=True)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    proposer = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed = models.DateTimeField(null=True)
    """When; None: nobody asks."""
    draft = OrderedJSONField(default=dict)
    """A StoryContent."""
    version = models.PositiveIntegerField(default=0)
    """What all see; 0: nothing."""
    published = models.DateTimeField(null=True)
    """For the first time."""
    created = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-changed", "-pk")

    def __str__(self) -> str:
        return self.handle

    @property
    def content(self) -> StoryContent:
        """The draft."""
        return as_content(self.draft)


class StoryVersion(models.Model):
    """What was published once.

    Personal data, emptied with the account:

    - ``author``, ``user``: who wrote it, and who published it.
    """

    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    body = OrderedJSONField(default=dict)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("story", "number"), name="one_story_version"),)

    def __str__(self) -> str:
        return f"{self.story_id} {self.number}"

    @property
    def content(self) -> StoryContent:
        """What it said."""
        return as_content(self.body)


class StoryPicture(models.Model):
    """A picture that somebody sent for a story. It is seen where a text names its key; it goes with the story.

    No personal data beside what it shows: metadata are left out, and the audit log says who sent it.
    """

    key = models.CharField(max_length=32, primary_key=True)
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="pictures")
    body = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-created", "key")

    def __str__(self) -> str:
        return self.key


def as_content(said: dict[str, Any]) -> StoryContent:
    """What is kept, as the domain's value."""
    return msgspec.convert(said, StoryContent)


def as_plain(content: StoryContent) -> dict[str, Any]:
    """The domain's value, as it is kept."""
    plain: dict[str, Any] = msgspec.to_builtins(content)
    return plain
