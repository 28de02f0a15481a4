"""Who may order a file, and who may have it: asked anew when it is ordered, made and fetched."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from allmende.domain.catalogue import may_read
from allmende.domain.dataset import DatasetProfile
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.profile import Profile
from allmende.web.accounts.access import datasets_of
from allmende.web.accounts.clients import address_of, prefix_of
from allmende.web.accounts.models import Token, User
from allmende.web.accounts.tokens import reader_of_token
from allmende.web.catalogue.own import described
from allmende.web.citizens.models import PREFIX
from allmende.web.downloads.models import Order

_TOKEN = "token:"  # noqa: S105  how the names of readers begin


class Asker:
    """Who sends a request: somebody's account, a token, or an address."""

    def __init__(self, request: HttpRequest) -> None:
        self.reader: Reader = request.house.reader  # type: ignore[attr-defined]  # set by HouseMiddleware
        self.token = ""
        self.user: User | None = None
        if self.reader.name.startswith(_TOKEN):
            self.token = self.reader.name.removeprefix(_TOKEN)
            found = Token.objects.select_related("user").filter(name=self.token).first()
            self.user = found.user if found else None
        elif self.reader.name.startswith("user:") and not isinstance(request.user, AnonymousUser):
            self.user = request.user
        self._address = prefix_of(address_of(request))

    @property
    def client(self) -> str:
        """A digest by which orders are counted. An address is another one each day."""
        if self.user is not None:
            said = f"user {self.user.pk}"
        elif self.token:
            said = f"token {self.token}"
        else:
            said = f"address {self._address} {timezone.localdate()}"
        return salted_hmac("allmende.downloads", said, algorithm="sha256").hexdigest()

    def owns(self, order: Order) -> bool:
        """Whether it is their own order."""
        if order.user_id is not None:
            return self.user is not None and self.user.pk == order.user_id
        return bool(order.token) and self.token == order.token

    def may_have(self, order: Order, profile: Profile) -> bool:
        """Whether they may have the file now: what is open, everybody who knows its address; what is not, only who
        ordered it, for as long as they may see the dataset."""
        dataset = offered(profile, order.dataset, self.reader)
        if dataset is None:
            return False
        return dataset.access == "open" or self.owns(order)


def with_own(profile: Profile, name: str) -> Profile:
    """The profile that has the dataset of a citizen's sensor, where one is named; else the same."""
    return described(profile) if name not in profile.datasets and name.startswith(PREFIX) else profile


def offered(profile: Profile, name: str, reader: Reader) -> DatasetProfile | None:
    """The dataset whose data the reader may have; None for any other, be it there or not."""
    dataset = with_own(profile, name).datasets.get(name)
    if dataset is None or dataset.withdrawn is not None or not may_read(dataset, reader):
        return None
    return dataset


def reader_of(order: Order) -> Reader:
    """What the one who ordered may read now; of a token that holds no more, what everybody may."""
    if order.token:
        token = Token.objects.select_related("user").filter(name=order.token).first()
        return reader_of_token(token) if token is not None and token.is_valid(timezone.now()) else ANONYMOUS
    if order.user is not None and order.user.is_active:
        return Reader(name=f"user:{order.user.get_username()}", datasets=datasets_of(order.user))
    return ANONYMOUS
