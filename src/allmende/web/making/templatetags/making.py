"""What the templates of the preview need."""

from datetime import datetime

from django import template

from allmende.domain.times import to_datetime

register = template.Library()


@register.filter
def moment(micros: int) -> datetime:
    """Microseconds as a time, which Django shows in the city's zone."""
    return to_datetime(micros)
