"""Which instruments there are."""

from functools import cache

from django.apps import apps

from allmende.city.instruments import Instrument


@cache
def instruments() -> tuple[Instrument, ...]:
    """Of all applications that are installed, in the order of the overview."""
    found = (getattr(config, "instrument", None) for config in apps.get_app_configs())
    return tuple(sorted((one for one in found if isinstance(one, Instrument)), key=lambda one: one.order))


@cache
def namespaces() -> frozenset[str]:
    """Of pages that belong to an instrument, or to their overview."""
    return frozenset({"instruments", *(one.address.split(":")[0] for one in instruments())})
