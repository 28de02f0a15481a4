"""Settings of the catalogue: a part of Config."""

from typing import Annotated

from allmende.web.office_settings import OfficeSettings
from allmende.web.setting import describe as _setting


class CatalogueSettings(OfficeSettings, frozen=True, kw_only=True):
    """What is measured, and which hub is told. (One class builds on the other, since structs have one base.)"""

    quality_days: Annotated[
        int,
        _setting(
            "ALLMENDE_QUALITY_DAYS",
            "Catalogue",
            "Over how many whole days completeness and plausibility of each dataset are measured, once a day.",
            low=1,
            high=366,
        ),
    ] = 7
    search_names: Annotated[
        int,
        _setting(
            "ALLMENDE_SEARCH_NAMES",
            "Catalogue",
            "How many names of things, and of observed properties, of one dataset the search knows.",
            low=0,
            high=100_000,
        ),
    ] = 2000
    search_things: Annotated[
        int,
        _setting(
            "ALLMENDE_SEARCH_THINGS",
            "Catalogue",
            "How many things the search of the portal finds by their own names.",
            low=0,
            high=1_000_000,
        ),
    ] = 20_000
    search_age: Annotated[
        int,
        _setting(
            "ALLMENDE_SEARCH_AGE",
            "Catalogue",
            "After how many seconds the search reads the names of things and properties anew. What a dataset is called "
            "and who may know of it is heeded at once.",
            low=1,
            high=86_400,
        ),
    ] = 60
    hub_url: Annotated[
        str,
        _setting(
            "ALLMENDE_HUB_URL",
            "Catalogue",
            "Address of a piveau hub's repository that is told of all open datasets, hourly where something changed, "
            "e.g. `https://hub.example/api/hub/repo`. Empty: no hub is told. Set `ALLMENDE_PUBLIC_URL` too: the "
            "hub's links lead there.",
            schemes=("http", "https"),
        ),
    ] = ""
    hub_catalogue: Annotated[
        str,
        _setting("ALLMENDE_HUB_CATALOGUE", "Catalogue", "Id of our catalogue at the hub. Empty: the city's id."),
    ] = ""
    hub_key: Annotated[
        str,
        _setting("ALLMENDE_HUB_KEY", "Catalogue", "API key of the hub.", secret=True, shown="none"),
    ] = ""
    harvest_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_HARVEST_BYTES",
            "Catalogue",
            "How many bytes one page of another catalogue may have that is harvested; a larger one is not taken.",
            low=10_000,
            high=1_000_000_000,
        ),
    ] = 20_000_000
    harvest_statements: Annotated[
        int,
        _setting(
            "ALLMENDE_HARVEST_STATEMENTS",
            "Catalogue",
            "How many statements of RDF one page of another catalogue may hold. A hundred datasets have about 10,000; "
            "each takes about 1 kB of the worker's memory while the page is read.",
            low=1_000,
            high=10_000_000,
        ),
    ] = 200_000
    harvest_pages: Annotated[
        int,
        _setting(
            "ALLMENDE_HARVEST_PAGES",
            "Catalogue",
            "How many pages of another catalogue are asked for in one pass.",
            low=1,
            high=100_000,
        ),
    ] = 2_000
