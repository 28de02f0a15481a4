"""What a service may use of the house: ``house_of(request)`` in its views, and the same in its jobs.

The web layer makes it; a service knows this shape alone. Views ask for it by :func:`house_of`, guard themselves by
:func:`asks_for`, and let themselves be shown in pages of others by :func:`framed`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, NamedTuple, Protocol, cast

from django.http import Http404, HttpRequest, HttpResponse

from allmende.domain.batch import Receipt
from allmende.domain.dataset import DatasetProfile
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.records import Record
from allmende.domain.store import Store

View = Callable[..., HttpResponse]


class Person(NamedTuple):
    """Somebody who is logged in."""

    id: int
    """The account's key: what a model of a service points to."""
    name: str


class Place(NamedTuple):
    """Where something in the city is. Degrees in EPSG:4326."""

    name: str
    detail: str
    """What tells it from others of its name: the district, the postcode."""
    lon: float
    lat: float


class House(Protocol):
    """The house as one request, or one run of a job, sees it."""

    @property
    def store(self) -> Store:
        """The measured world. Every question takes :attr:`reader`."""

    @property
    def profile(self) -> Profile:
        """The city as it is now; the same object until something of it is another."""

    @property
    def reader(self) -> Reader:
        """Who asks; in a job the house itself, which sees all."""

    @property
    def person(self) -> Person | None:
        """Who is logged in; None in a job and for a program's token."""

    @property
    def frames(self) -> bool:
        """Whether pages of others may show ours in a frame."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    def places(self, text: str, most: int = 8) -> Sequence[Place]:
        """What a text that somebody typed may mean, the likeliest first: addresses of the city's register, districts,
        and things that everybody may see. Nothing is asked of others and nothing is written down."""

    def knows(self, dataset: DatasetProfile) -> bool:
        """Whether the reader may know that there is such a dataset."""

    def settings(self, service: str) -> dict[str, Any]:
        """What the city says of a service under ``[services.NAME]``, over what SERVICE says of its settings."""

    def may(self, deed: str, organisation: str | None = None) -> bool:
        """Whether the person may do one of the deeds of SERVICE (or of the house): in the house, or for what belongs to
        an organisation. Raises KeyError for another word."""

    def note(self, action: str, subject: str = "", /, **detail: Any) -> None:
        """Write into the audit log that the person (or the job) did something, in the transaction that is open. Every
        write by a person is noted.

        ``action`` begins with the service's name: ``fountains.close``. ``subject`` is what it was done to, ``detail``
        plain JSON without passwords, secrets or addresses.
        """

    def give(self, service: str, dataset: str, records: Iterable[Record]) -> Receipt:
        """Put what a service worked out into the commons, by the way of all readings: checked, kept once, told to all
        that follow. Their source is ``service/NAME``.

        All or nothing, and in the transaction that is open where there is one. Raises InvalidInput for a record that
        cannot be taken, Conflict for what is another dataset's, NotFound for a dataset or service that the city has
        not, StorageFull, StorageBusy.
        """

    def turned_away(self, deed: str, *, somewhere: bool = False) -> HttpResponse | None:
        """What somebody who may not is answered; None for one who may. See :func:`asks_for`."""

    def for_anybody(self) -> "House":
        """The same house as somebody without an account sees it."""

    def let_frame(self, response: HttpResponse) -> HttpResponse:
        """Let pages of others show this response, those that the operator named."""


def house_of(request: HttpRequest) -> House:
    """The house that a request came to. Raises AttributeError where no middleware has opened it."""
    return cast(House, request.house)  # type: ignore[attr-defined]  # set by the web layer


def asks_for(deed: str, *, somewhere: bool = False) -> Callable[[View], View]:
    """Guard a view by a deed: nobody known is led to the log-in, somebody who may not gets 403, and whom a second
    factor is lacking for it is led to their account, which says so.

    With ``somewhere`` a role in one organisation is enough, and the view asks ``may`` again with the organisation that
    the thing belongs to.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            instead = house_of(request).turned_away(deed, somewhere=somewhere)
            return view(request, *args, **kwargs) if instead is None else instead

        return guarded

    return guard


def framed(view: View) -> View:
    """A view that pages of others may show in a frame: as everybody sees it, whoever is logged in, since the page
    around might let somebody click on what they do not see. Not there where the operator named no such page.

    Its template extends ``framed.html``: no navigation, links that lead out of the frame.
    """

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        house = house_of(request)
        if not house.frames:
            raise Http404("no page may show ours")
        request.house = house.for_anybody()  # type: ignore[attr-defined]
        return house.let_frame(view(request, *args, **kwargs))

    return shown
