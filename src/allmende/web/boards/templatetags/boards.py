"""What templates of boards ask."""

from django import template
from django.forms import BoundField

from allmende.web.boards.fields import StreamsField

register = template.Library()


@register.filter
def is_streams(bound: BoundField) -> bool:
    """Whether a field is one of streams, which is drawn in its own way."""
    return isinstance(bound.field, StreamsField)
