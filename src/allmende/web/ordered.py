"""A field for tables that somebody wrote: what they put first stays first."""

import json
from typing import Any

from django.db import models


class OrderedJSONField(models.TextField):
    """JSON kept as text, alike in both engines. PostgreSQL's ``jsonb``, which Django's own field takes, puts the keys
    of an object into an order of its own; but a step of a rule may use those before it, and a form shows what somebody
    typed. Nothing inside can be asked for in a query."""

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """What was written."""
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        """A value is plain data already; text is a text."""
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Its text."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def value_to_string(self, obj: models.Model) -> str:
        """For Django's serializers."""
        return str(self.get_prep_value(self.value_from_object(obj)))
