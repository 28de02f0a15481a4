"""To order a file, and to let go of it."""

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from allmende.domain.errors import LimitExceeded, NotFound
from allmende.domain.profile import Profile
from allmende.domain.selection import read_selection
from allmende.faces.files.fields import READINGS, SUMS, choose
from allmende.faces.files.formats import format_of
from allmende.web.accounts.audit import record
from allmende.web.downloads.folder import folder, path_of
from allmende.web.downloads.models import MAKING, WAITING, Order
from allmende.web.downloads.rights import Asker, offered


def place_order(said: Mapping[str, Any], asker: Asker, profile: Profile, language: str) -> Order:
    """Take an order: what a selection is said with, and ``format``.

    Raises InvalidInput with the name of what is wrong, NotFound for a dataset that the one who asks may not see, be it
    there or not, and LimitExceeded.
    """
    rest = dict(said)
    format_ = format_of(str(rest.pop("format", "") or "csv"))
    selection = read_selection(rest, profile.time_zone)
    dataset = offered(profile, selection.dataset, asker.reader)
    if dataset is None:
        raise NotFound(_("There is no such dataset."))
    if not selection.collection:
        choose(SUMS if selection.bucket else READINGS, selection.columns, geometry=True)
    config = settings.ALLMENDE
    client = asker.client
    with transaction.atomic():
        if Order.objects.filter(client=client).count() >= config.download_orders:
            raise LimitExceeded(
                _("You have %(count)s orders already: delete one, or wait until one goes by itself.")
                % {"count": config.download_orders},
                setting="ALLMENDE_DOWNLOAD_ORDERS",
            )
        if Order.objects.filter(state__in=(WAITING, MAKING)).count() >= config.download_queue:
            raise LimitExceeded(_("Too many orders wait already: try again later."), setting="ALLMENDE_DOWNLOAD_QUEUE")
        order = Order.objects.create(
            user=asker.user,
            token=asker.token,
            client=client,
            dataset=dataset.id,
            selection=msgspec.to_builtins(selection),
            format=format_.key,
            language=language,
        )
        if dataset.access != "open":
            record(asker.reader.name, "download.order", f"dataset:{dataset.id}", **selection.told())
    return order


def forget(order: Order) -> None:
    """Delete an order and its file. A worker that makes it notices at its next batch."""
    path_of(order).unlink(missing_ok=True)
    order.delete()


def prune() -> int:
    """Delete orders whose time is over, and files that belong to none; gives how many orders went."""
    gone = 0
    for order in Order.objects.filter(asked__lt=timezone.now() - timedelta(hours=settings.ALLMENDE.download_hours)):
        forget(order)
        gone += 1
    known = set(Order.objects.values_list("key", flat=True))
    for path in folder().iterdir():
        if path.name.partition(".")[0] not in known:
            _drop(path)
    return gone


def _drop(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
