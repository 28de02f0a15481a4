"""Every table that names a person says what becomes of it when the person asks."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from allmende.domain.holdings import Subject, holdings
from allmende.web.accounts.models import User

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "personal-data.md"
TELLING = re.compile(
    r"(user|person|actor|author|asker|owner|giver|reader|recipient)(_?name)?|.*e?mail.*|.*phone.*|.*display_?name"
)
"""Names of columns of text that tell of a person."""
APART = {
    "account.emailconfirmation": "hangs on an address, and goes with it; the house confirms by signed links",
    "auth.permission": "of Django, names nobody",
    "socialaccount.socialtoken": "hangs on a linked log-in, and goes with it; the house keeps none",
    "socialaccount.socialapp": "a provider, nobody's",
}
"""Tables that need no holding, and why."""
SECTIONS_APART = {
    "Parties (STAplus)": "entities that clients write, deleted there; no account becomes a Party",
    "Contacts of other catalogues": "what another catalogue publishes of those who answer for its data; erased there",
}


def declared() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for holding in holdings():
        for label, columns in holding.named.fields.items():
            found.setdefault(label, set()).update(columns)
    return found


def test_every_key_to_an_account_and_every_name_is_declared() -> None:
    known, missing = declared(), []
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label_lower
        if label in APART or not model._meta.managed:
            continue
        for field in model._meta.concrete_fields:
            leads = field.remote_field is not None and field.remote_field.model is User
            tells = isinstance(field, models.CharField | models.TextField) and TELLING.fullmatch(field.name)
            if (leads or tells) and field.name not in known.get(label, set()):
                missing.append(f"{label}.{field.name}")
    assert missing == [], "say in the app's holdings.py what becomes of it, or in APART why not"


def test_what_is_declared_is_there() -> None:
    tables = {model._meta.label_lower: model for model in apps.get_models(include_auto_created=True)}
    for label, columns in declared().items():
        names = {field.name for field in tables[label]._meta.concrete_fields} | {"pk"}
        assert columns <= names, label


def test_every_section_of_the_docs_has_a_holding() -> None:
    told = set()
    for part in re.split(r"^## ", DOCS.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        if re.search(r"^\|.*\|", body, re.MULTILINE):
            told.add(title.strip())
    known = {section for holding in holdings() for section in holding.named.sections}
    assert told - known - set(SECTIONS_APART) == set(), "this section has no holding"
    assert known - told == set(), "this holding's section is not in the docs"


@pytest.mark.django_db
def test_nothing_is_held_of_nobody() -> None:
    for holding in holdings():
        assert holding.count(Subject()) == 0, holding.named.place
        assert list(holding.tell(Subject())) == []
