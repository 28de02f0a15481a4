"""Forms of boards; those of tiles' settings are their kinds'."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.web.accounts.models import Organisation
from allmende.web.accounts.roles import ROLES, may, organisations_where
from allmende.web.boards.fields import SEARCH, DatasetField, StreamsField
from allmende.web.boards.keeping import audiences_of
from allmende.web.boards.kinds import Kind, TileForm
from allmende.web.boards.models import ORGANISATION, PRIVATE, PUBLIC, ROLE, Board
from allmende.web.boards.words import say
from allmende.web.grants.forms import ROLE_TITLES

AUDIENCE_TITLES = {
    PRIVATE: _("For me alone"),
    ORGANISATION: _("For an organisation"),
    ROLE: _("For everyone who has a role in this house"),
    PUBLIC: _("For everyone"),
}
WIDTH_TITLES = {1: _("one column"), 2: _("two columns"), 3: _("the whole width")}
_REQUIRED = {"required": _("Please fill this in.")}


class WordsForm(forms.Form):
    """What a board is called."""

    title = forms.CharField(label=_("Title"), max_length=100, error_messages=_REQUIRED)
    description = forms.CharField(
        label=_("What it shows"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class HeadForm(forms.Form):
    """What all tiles have."""

    heading = forms.CharField(label=_("Heading"), max_length=100, error_messages=_REQUIRED)
    width = forms.TypedChoiceField(label=_("Width"), choices=list(WIDTH_TITLES.items()), coerce=int, initial=1)


class TileForms:
    """Both forms of one tile, as one."""

    def __init__(self, request: HttpRequest, kind: Kind, tile: Tile | None) -> None:
        """``tile`` None: a new one."""
        self.kind, self.before = kind, tile
        sent = request.POST if request.method == "POST" else None
        self.searching = sent is not None and SEARCH in sent.get("then", "")
        self.words = (sent or request.GET).get(SEARCH, "").strip()[:100]
        head = {"heading": say(tile.title), "width": tile.width} if tile else {}
        self.head = HeadForm(sent, initial=head)
        self.own: TileForm = kind.form(sent, initial=_initial(tile), request=request)
        for name, field in self.own.fields.items():
            if isinstance(field, StreamsField):
                chosen = sent.getlist(name) if sent is not None else list(self.own.initial.get(name, ()))
                field.offer(request, chosen, self.words)
            elif isinstance(field, DatasetField):
                field.offer(request)
        if self.searching:  # nothing is complained of before somebody wants it kept
            for form in (self.head, self.own):
                form.errors.clear()

    @property
    def looks(self) -> bool:
        """Whether there is something to look for streams in."""
        return any(isinstance(field, StreamsField) for field in self.own.fields.values())

    def is_valid(self) -> bool:
        """Whether it can be kept, and shall be."""
        return not self.searching and all([self.head.is_valid(), self.own.is_valid()])

    @property
    def wrong(self) -> bool:
        """Whether something is to be mended."""
        return not self.searching and bool(self.head.errors or self.own.errors)

    def tile(self, id_: str) -> Tile:
        """What was said, as a tile. Settings are the form's alone: what a tile said before of datasets would open
        another stream."""
        before = self.before
        title: Any = self.head.cleaned_data["heading"]
        if before is not None and say(before.title) == title:
            title = before.title  # in all its languages
        width = self.head.cleaned_data["width"]
        settings = self.own.settings()
        if before is not None and settings == {k: v for k, v in before.settings.items() if k != "datasets"}:
            settings = before.settings
        return Tile(id=id_, kind=self.kind.name, title=title, width=width, settings=settings)


def _initial(tile: Tile | None) -> dict[str, Any]:
    if tile is None:
        return {}
    said = {name: say(value) if isinstance(value, dict) else value for name, value in tile.settings.items()}
    datasets = said.get("datasets")
    return {**said, "dataset": datasets[0]} if isinstance(datasets, list) and datasets else said


class ShareForm(forms.Form):
    """For whom a board is."""

    audience = forms.ChoiceField(label=_("For whom"), widget=forms.RadioSelect)
    organisation = forms.ModelChoiceField(
        label=_("Organisation"), queryset=Organisation.objects.none(), required=False, empty_label="–"
    )
    role = forms.ChoiceField(label=_("At least this role"), required=False)

    def __init__(self, *args: Any, user: Any, board: Board, **kwargs: Any) -> None:
        initial = {"audience": board.audience, "organisation": board.organisation_id, "role": board.role}
        super().__init__(*args, initial=initial, **kwargs)
        offered = audiences_of(user)
        self.fields["audience"].choices = [(each, AUDIENCE_TITLES[each]) for each in offered]  # type: ignore[attr-defined]
        every = Organisation.objects.all()
        own = every if may(user, "boards.open") else every.filter(pk__in=organisations_where(user, "boards.make"))
        self.fields["organisation"].queryset = own  # type: ignore[attr-defined]
        self.fields["role"].choices = [("", "–"), *((role, ROLE_TITLES[role]) for role in ROLES[1:])]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """An organisation or a role where the choice needs one."""
        said = super().clean() or {}
        if said.get("audience") == ORGANISATION and not said.get("organisation"):
            self.add_error("organisation", _("Please choose an organisation."))
        if said.get("audience") == ROLE and not said.get("role"):
            self.add_error("role", _("Please choose a role."))
        return said
