"""Every address of the house, and how it is tried for leaks. A new one that does not stand here fails the tests.

A probe is asked of both towns (see :mod:`tests.policy.town`), by somebody without an account and by one who may not see
what is hidden. ``{canary}`` stands for the name that all hidden things have.
"""

from typing import NamedTuple


class Open(NamedTuple):
    """Its answers tell of data: these addresses have to be answered alike in both towns."""

    probes: tuple[str, ...]


class Guarded(NamedTuple):
    """Only who has the deed may come in: anybody else is led away or refused, alike in both towns."""

    probes: tuple[str, ...]


class Apart(NamedTuple):
    """It tells of no data of the city, or is told of elsewhere; why."""

    why: str


Way = Open | Guarded | Apart

_STA = tuple(
    f"/sta/v1.1/{path}"
    for path in (
        "", "Things?$count=true", "Things('{canary}-thing')", "Things('{canary}-none')", "Datastreams?$count=true",
        "Datastreams?$expand=Thing,Sensor,ObservedProperty,Observations($count=true)", "Observations?$count=true",
        "Things('gate')/Datastreams", "Things('gate')?$expand=Datastreams($count=true)", "Datastreams/$latest",
        "Datastreams('{canary}~gate')/Observations", "Datastreams('{canary}~none')/Observations", "Sensors",
        "Locations", "FeaturesOfInterest", "HistoricalLocations", "Observations?$filter=result eq 987654&$count=true",
        "Observations?$apply=aggregate($count as n,result with max as m)", "Observations?$resultFormat=CSV",
        "Things?$filter=startswith(name,'canary')&$count=true", "Things?$orderby=name desc&$top=1", "api",
        "Datastreams?$resultFormat=GeoJSON", "Things?$filter=Datastreams/Sensor/name eq '{canary} counter'",
    )
)  # fmt: skip

_PARKING = (
    "public/v3/parking-sites", "public/v3/parking-sites.geojson", "public/v3/parking-spots",
    "public/v3/parking-spots.geojson", "public/v3/sources", "datex2/v3/table.xml", "datex2/v3/status.xml",
    "datex2/v2/status.xml", "sites.csv",
)  # fmt: skip

_OGC = tuple(
    f"/ogc/v1{path}"
    for path in (
        "", "/conformance", "/api", "/collections", "/tileMatrixSets", "/collections/trees",
        "/collections/{canary}-trees", "/collections/none-trees",
        "/collections/trees/items?count=true", "/collections/{canary}-trees/items",
        "/collections/none/items", "/collections/trees/items/oak-1", "/collections/trees/items/{canary}-1",
        "/collections/{canary}-trees/items/{canary}-1", "/collections/{canary}-trees/items/oak-1",
        "/collections/catalogue:datasets", "/collections/catalogue:datasets/items?limit=1000",
        "/collections/catalogue:datasets/items?q={canary}", "/collections/catalogue:datasets/items/{canary}",
        "/collections/catalogue:datasets/items/{canary}-people", "/collections/catalogue:datasets/items?ids={canary}",
        "/collections/catalogue:datasets/items?bbox=-12.1,37.9,-11.9,38.1",
        "/collections/catalogue:datasets/items/none",
        "/collections/catalogue:datasets/items?f=html&after={canary}",
        "/collections/trees/schema", "/collections/{canary}-trees/schema", "/collections/things:sensors/schema/feature",
        "/collections/things:{canary}/schema", "/collections/trees/queryables",
        "/collections/{canary}-trees/queryables", "/collections/things:sensors",
        "/collections/things:sensors/items?count=true", "/collections/things:sensors/items/gate",
        "/collections/things:sensors/items/{canary}-thing", "/collections/things:sensors/items?bbox=-13,37,-11,39",
        "/collections/things:sensors/items?bbox=-12.0015,38.0001,-12.0005,38.0009&count=true",
        "/collections/things:sensors/queryables", "/collections/things:{canary}", "/collections/things:none",
        "/collections/things:{canary}/items", "/collections/things:{canary}/items?count=true&bbox=-13,37,-11,39",
        "/collections/things:{canary}/items/gate", "/collections/things:{canary}/items/{canary}-thing",
        "/collections/things:{canary}-people/items", "/collections/things:{canary}/queryables",
        "/collections/trees/items?bbox=-13,37,-11,39&count=true", "/collections/trees/items?kind={canary}",
        "/collections/{canary}-trees/items?kind={canary}", "/collections/{canary}-trees/items?after={canary}-1",
        "/collections/trees/items?after={canary}-1", "/collections/things:commons/items",
        "/collections/trees/items?datetime=2020-01-01T00:00:00Z/..&count=true",
        "/collections/trees/items?filter=kind LIKE '%25canary%25'&count=true",
        "/collections/things:sensors/items?filter=people %3E 900000&count=true",
        "/collections/things:sensors/items?filter=\"{canary}~gate\" IS NOT NULL&count=true",
        "/collections/things:sensors/items?filter=S_INTERSECTS(geometry,BBOX(-13,37,-11,39))&count=true",
        "/collections/{canary}-trees/items?filter=kind='{canary}'", "/collections/{canary}-trees/items?filter=(",
        "/collections/things:{canary}/items?filter=people %3E 1",
        "/collections/trees/tiles", "/collections/{canary}-trees/tiles", "/collections/trees/tiles/WebMercatorQuad",
        "/collections/things:sensors/tiles/WebMercatorQuad", "/collections/things:{canary}/tiles/WebMercatorQuad",
        "/collections/things:sensors/tiles/WebMercatorQuad/0/0/0", "/collections/trees/tiles/WebMercatorQuad/0/0/0",
        "/collections/things:{canary}/tiles/WebMercatorQuad/0/0/0",
        "/collections/{canary}-trees/tiles/WebMercatorQuad/0/0/0",
        "/collections/things:sensors/items?crs=http://www.opengis.net/def/crs/EPSG/0/25832",
        *(
            f"{path}{'&' if '?' in path else '?'}f=html"
            for path in (
                "", "/collections", "/collections/things:sensors", "/collections/things:sensors/items?limit=1",
                "/collections/things:sensors/items/{canary}-thing", "/collections/things:{canary}/items",
                "/collections/{canary}-trees", "/collections/things:sensors/queryables",
                "/collections/things:sensors/items?filter=people %3E 900000",
            )
        ),
    )
)  # fmt: skip

_OWN = (
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
    r"accounts/again/",
    r"accounts/confirm-email/",
    r"accounts/data/",
    r"accounts/delete/",
    r"accounts/email/",
    r"accounts/factors/",
    r"accounts/factors/authenticate/",
    r"accounts/factors/reauthenticate/",
    r"accounts/factors/recovery-codes/",
    r"accounts/factors/recovery-codes/download/",
    r"accounts/factors/recovery-codes/generate/",
    r"accounts/factors/totp/activate/",
    r"accounts/factors/totp/deactivate/",
    r"accounts/factors/webauthn/",
    r"accounts/factors/webauthn/add/",
    r"accounts/factors/webauthn/keys/<int:pk>/edit/",
    r"accounts/factors/webauthn/keys/<int:pk>/remove/",
    r"accounts/factors/webauthn/login/",
    r"accounts/factors/webauthn/reauthenticate/",
    r"accounts/inactive/",
    r"accounts/invitation/<str:secret>/",
    r"accounts/login/code/confirm/",
    r"accounts/name/",
    r"accounts/oidc/<slug:provider_id>/login/",
    r"accounts/oidc/^(?P<provider_id>[^/]+)/login/",
    r"accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/",
    r"accounts/password/change/",
    r"accounts/password/reset/",
    r"accounts/password/reset/done/",
    r"accounts/password/reset/key/done/",
    r"accounts/password/set/",
    r"accounts/requests/",
    r"accounts/requests/<slug:key>/",
    r"accounts/providers/",
    r"accounts/providers/login/cancelled/",
    r"accounts/providers/login/error/",
    r"accounts/providers/signup/",
    r"accounts/reauthenticate/",
    r"accounts/sessions/",
    r"accounts/signup/",
    r"accounts/tokens/<int:number>/revoke/",
)
"""Somebody's own account: told of in tests/web/test_accounts.py and its neighbours."""

_KEY = "0" * 32
"""Of an order for what is hidden; what is ordered and made is tried in tests/web/downloads."""

_LISTS = {"streams": "stream", "features": "id", "datasets": "dataset", "(SHOW TABLES)": "name"}
_SQL = (
    "SELECT (SELECT count(*) FROM observations), (SELECT max(result) FROM observations), "
    + ", ".join(f"(SELECT string_agg({name}, ' ' ORDER BY {name}) FROM {table})" for table, name in _LISTS.items()),
    "FROM {canary}",
)

ROUTES: dict[str, Way] = {
    **dict.fromkeys(_OWN, Apart("one's own account, nothing of the city's data")),
    "accounts/": Open(("/accounts/",)),
    "accounts/tokens/": Open(("/accounts/tokens/",)),
    "accounts/tokens/new/": Open(("/accounts/tokens/new/",)),
    "accounts/broker/": Apart("a broker of one's own asks whether a token holds"),
    "accounts/people/": Guarded(("/accounts/people/",)),
    "accounts/people/<int:number>/": Guarded(("/accounts/people/1/",)),
    "health": Apart("whether the house lives"),
    "ready": Apart("whether the house is ready"),
    "metrics": Guarded(("/metrics",)),
    "sta/v1.1/Login": Apart("gives a token back to who has it"),
    r"^sta/v1\.1(?:/(?P<path>(?s:.*)))?\Z": Open(_STA),
    r"^ogc/v1(?:/(?P<path>(?s:.*)))?\Z": Open(_OGC),
    ".well-known/security.txt": Open(("/.well-known/security.txt",)),
    "accounts/login/": Apart("a form"),
    "accounts/logout/": Apart("ends a session"),
    r"^catalog\.(?P<suffix>ttl|rdf|jsonld|nt)\Z": Open(
        ("/catalog.ttl", "/catalog.rdf", "/catalog.jsonld", "/catalog.nt", "/catalog.ttl?profile=dcat-ap-de-2.0")
    ),
    r"^api/(?:3/)?action/(?P<name>[a-z_]{1,60})\Z": Open(
        tuple(
            f"/api/3/action/{action}"
            for action in (
                "package_list",
                "package_search?q=canary",
                "package_search?rows=1000",
                "package_search?q=canray-7f3a",
                "package_search?q=Titel&facet.field=%5B%22organization%22%5D",
                "package_show?id={canary}",
                "package_show?id=none",
                "current_package_list_with_resources",
                "organization_list",
                "tag_list",
                "organization_list?all_fields=true",
                "group_list?all_fields=true",
                "resource_show?id={canary}",
                "license_list",
            )
        )
    ),
    "dumps/": Open(("/dumps/",)),
    "dumps/manifest.json": Open(("/dumps/manifest.json",)),
    r"^dumps/(?P<dataset>[a-z0-9]+(?:[-_][a-z0-9]+)*)/\Z": Open(("/dumps/sensors/", "/dumps/{canary}/")),
    r"^dumps/(?P<dataset>[a-z0-9]+(?:[-_][a-z0-9]+)*)/manifest\.json\Z": Open(
        ("/dumps/sensors/manifest.json", "/dumps/{canary}/manifest.json", "/dumps/none/manifest.json")
    ),
    r"^dumps/(?P<dataset>[a-z0-9]+(?:[-_][a-z0-9]+)*)/(?P<name>[A-Za-z0-9_.~-]{1,200})\.parquet\Z": Open(
        tuple(
            f"/dumps/{dataset}/{name}.parquet"
            for dataset in ("sensors", "{canary}")
            for name in ("2023-11", "streams", "objects-trees", "objects-{canary}-trees")
        )
    ),
    "sql/": Open(tuple(f"/sql/?q={query}" for query in _SQL)),
    r"sql/^result\.(?P<form>json|csv|zip|parquet)\Z": Open(
        tuple(f"/sql/result.{form}?q={query}" for form in ("json", "csv") for query in _SQL)
    ),
    "sql/schema.json": Open(("/sql/schema.json",)),
    "sql/saved/": Open(("/sql/saved/",)),
    r"sql/^saved/(?P<key>[0-9a-f]{16})/\Z": Open(("/sql/saved/0123456789abcdef/",)),
    r"sql/^saved/(?P<key>[0-9a-f]{16})/edit/\Z": Guarded(("/sql/saved/0123456789abcdef/edit/",)),
    r"sql/^saved/(?P<key>[0-9a-f]{16})/drop/\Z": Guarded(("/sql/saved/0123456789abcdef/drop/",)),
    r"sql/^saved/(?P<key>[0-9a-f]{16})/publish/\Z": Guarded(("/sql/saved/0123456789abcdef/publish/",)),
    r"sql/^published/(?P<slug>[a-z0-9-]{1,80})/\Z": Open(("/sql/published/{canary}/",)),
    r"sql/^published/(?P<slug>[a-z0-9-]{1,80})\.(?P<form>json|csv|zip|parquet)\Z": Open(
        ("/sql/published/{canary}.json",)
    ),
    "downloads/": Open(("/downloads/",)),
    r"^downloads/(?P<key>[0-9a-f]{32})/\Z": Open((f"/downloads/{_KEY}/",)),
    r"^downloads/(?P<key>[0-9a-f]{32})/drop/\Z": Open((f"/downloads/{_KEY}/drop/",)),
    r"^downloads/(?P<key>[0-9a-f]{32})/file/(?P<name>[^/]{1,300})\Z": Open(
        (f"/downloads/{_KEY}/file/{{canary}}.csv.zip", f"/downloads/{_KEY}/file/{{canary}}-2026-01-01.csv.zip")
    ),
    r"^downloads/(?P<key>[0-9a-f]{32})/state\.json\Z": Open((f"/downloads/{_KEY}/state.json",)),
    "catalog": Open(("/catalog", "/catalog?page=2", "/catalog?simulated=true")),
    r"^dataset/(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)/streams\.(?P<suffix>csv|json|geojson)\Z": Open(
        tuple(
            f"/dataset/{name}/streams.{form}" for name in ("sensors", "{canary}") for form in ("csv", "json", "geojson")
        )
    ),
    r"^dataset/(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)\.(?P<suffix>ttl|rdf|jsonld|nt)\Z": Open(
        ("/dataset/sensors.ttl", "/dataset/{canary}.ttl", "/dataset/{canary}-people.jsonld")
    ),
    r"^dataset/(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)/version/(?P<number>[1-9][0-9]{0,8})\Z": Open(
        ("/dataset/sensors/version/1", "/dataset/{canary}/version/1", "/dataset/{canary}-people/version/1")
    ),
    r"^dataset/(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)/version/(?P<number>[1-9][0-9]{0,8})"
    r"\.(?P<suffix>ttl|rdf|jsonld|nt)\Z": Open(("/dataset/sensors/version/1.ttl", "/dataset/{canary}/version/1.ttl")),
    r"^sitemap-(?P<part>[1-9][0-9]{0,4})\.xml\Z": Open(("/sitemap-1.xml", "/sitemap-2.xml")),
    r"^dataset/(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)\Z": Open(
        ("/dataset/sensors", "/dataset/{canary}", "/dataset/{canary}-people", "/dataset/none")
    ),
    "catalogues/": Open(("/catalogues/",)),
    "policies/": Open(("/policies/",)),
    r"policies/^(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)\Z": Open(
        (
            "/policies/cc0-1-0",
            "/policies/dataset-{canary}",
            "/policies/dataset-{canary}-people",
            "/policies/dataset-none",
        )
    ),
    r"policies/^(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)\.(?P<suffix>ttl|rdf|jsonld|nt)\Z": Open(
        ("/policies/cc0-1-0.ttl", "/policies/dataset-{canary}.jsonld", "/policies/dataset-none.jsonld")
    ),
    "datasets/": Open(
        tuple(
            f"/datasets/{asked}"
            for asked in (
                "",
                "?q={canary}",
                "?q=canray-7f3a",
                "?q=Titel",
                "?q=-{canary}",
                "?publisher={canary}-publisher",
                "?access=restricted&access=protected",
                "?bbox=-12.1,37.9,-11.9,38.1",
                "?order=newest&simulated=1",
                "?bbox=-12.0021,38.0004,-12.0009,38.0006",
            )
        )
    ),
    "map/": Open(("/map/", "/map/?layer=things:{canary}&layer=things:sensors&selected=things:{canary}|gate")),
    "map/list/": Open(
        (
            "/map/list/?layer=things:sensors&layer=things:{canary}&layer={canary}-trees&layer=trees",
            "/map/list/?layer=things:sensors&at=2023-11-14T23:15:00Z",
            "/map/list/?q={canary}",
            "/map/list/?layer=things:sensors&near=-12.001,38.0005&radius=5000",
            "/map/list/?q=canray-7f3a-thing",
        )
    ),
    "map/embed/": Open(("/map/embed/", "/map/embed/?layer=things:{canary}&layer={canary}-trees")),
    "map/thing/": Open(
        (
            "/map/thing/?layer=things:sensors&id=gate",
            "/map/thing/?layer=things:sensors&id={canary}-thing",
            "/map/thing/?layer=things:{canary}&id=gate",
            "/map/thing/?layer=things:none&id=gate",
            "/map/thing/?layer={canary}-trees&id={canary}-1",
            "/map/thing/?layer=trees&id=oak-1&part=1",
            "/map/thing/?layer=things:sensors&id=parking-altmarkt&at=2023-11-14T23:15:00Z",
        )
    ),
    "map/district/": Open(("/map/district/?district={canary}", "/map/district/?district=&layer=things:{canary}")),
    "map/things.json": Open(
        (
            "/map/things.json?layer=things:sensors",
            "/map/things.json?layer=things:{canary}",
            "/map/things.json?layer=things:none",
            "/map/things.json?layer={canary}-trees",
            "/map/things.json?layer=things:sensors&show:things:sensors={canary}~gate",
            "/map/things.json?layer=things:sensors&bbox=-12.0015,38.0001,-12.0005,38.0009",
        )
    ),
    "map/values.json": Open(
        (
            "/map/values.json?layer=things:sensors&at=2023-11-14T23:15:00Z",
            "/map/values.json?layer=things:{canary}&at=2023-11-14T23:15:00Z",
            "/map/values.json?layer=things:{canary}-people&at=2030-01-01",
        )
    ),
    "map/suggest.json": Open(
        ("/map/suggest.json?q={canary}", "/map/suggest.json?q=canray-7f3a", "/map/suggest.json?q=Gate")
    ),
    "robots.txt": Open(("/robots.txt",)),
    "sitemap.xml": Open(("/sitemap.xml",)),
    "office/sources/new/": Guarded(("/office/sources/new/",)),
    "office/sources/new/<slug:key>/": Guarded(("/office/sources/new/{canary}/",)),
    "office/sources/new/<slug:key>/choose/": Guarded(("/office/sources/new/{canary}/choose/",)),
    "office/sources/new/<slug:key>/drop/": Guarded(("/office/sources/new/{canary}/drop/",)),
    "office/sources/new/<slug:key>/finish/": Guarded(("/office/sources/new/{canary}/finish/",)),
    "office/sources/new/<slug:key>/found.json": Guarded(("/office/sources/new/{canary}/found.json",)),
    "office/sources/new/<slug:key>/preview/": Guarded(("/office/sources/new/{canary}/preview/",)),
    "office/sources/new/<slug:key>/state/": Guarded(("/office/sources/new/{canary}/state/",)),
    "office/": Guarded(("/office/",)),
    "office/<slug:kind>/": Guarded(("/office/dataset/",)),
    "office/<slug:kind>/<str:key>/": Guarded(("/office/dataset/{canary}/",)),
    "office/<slug:kind>/<str:key>/do/": Guarded(("/office/dataset/{canary}/do/",)),
    "office/<slug:kind>/<str:key>/edit/": Guarded(("/office/dataset/{canary}/edit/",)),
    "office/new/<slug:kind>/": Guarded(("/office/new/dataset/",)),
    "own/": Open(("/own/",)),
    "own/<int:number>": Apart("takes readings of a sensor in, by its token"),
    "own/<int:number>/": Open(("/own/1/", "/own/99/")),
    "own/<int:number>/delete/": Open(("/own/1/delete/",)),
    "own/<int:number>/pause/": Open(("/own/1/pause/",)),
    "own/<int:number>/place/": Open(("/own/1/place/",)),
    "own/<int:number>/token/": Open(("/own/1/token/",)),
    "own/<int:number>/words/": Open(("/own/1/words/",)),
    "own/map.json": Open(("/own/map.json",)),
    "own/mine/": Open(("/own/mine/",)),
    "own/new/": Open(("/own/new/",)),
    "own/review/": Guarded(("/own/review/",)),
    "own/review/<int:number>/": Guarded(("/own/review/1/",)),
    "stories/": Open(("/stories/",)),
    "stories/feed.xml": Open(("/stories/feed.xml",)),
    "stories/<slug:name>/": Open(
        ("/stories/{canary}/", "/stories/none/", "/stories/gate/", "/stories/gate/?language=en")
    ),
    "stories/desk/": Guarded(("/stories/desk/",)),
    "stories/new/": Guarded(("/stories/new/",)),
    "stories/<slug:name>/pictures/": Guarded(("/stories/{canary}/pictures/",)),
    "stories/pictures/<slug:key>.webp": Apart("pictures of what is published; see tests/web/test_stories.py"),
    "stories/<slug:name>/edit/": Guarded(("/stories/{canary}/edit/",)),
    "stories/<slug:name>/publish/": Guarded(("/stories/{canary}/publish/",)),
    "stories/<slug:name>/versions/<int:number>/": Guarded(("/stories/{canary}/versions/1/",)),
    "stories/<slug:name>/delete/": Guarded(("/stories/{canary}/delete/",)),
    "boards/": Open(("/boards/",)),
    "boards/<slug:name>/": Open(("/boards/{canary}/", "/boards/none/", "/boards/gate/", "/boards/today/")),
    "boards/<slug:name>/fresh/": Open(("/boards/gate/fresh/", "/boards/{canary}/fresh/")),
    "boards/<slug:name>/wall/": Open(("/boards/gate/wall/?then={canary},none", "/boards/{canary}/wall/")),
    "boards/<slug:name>/embed/": Open(("/boards/gate/embed/", "/boards/{canary}/embed/")),
    "boards/<slug:name>/copy/": Apart("POST alone, of what the page shows"),
    "boards/<slug:name>/compose/": Guarded(("/boards/{canary}/compose/",)),
    "boards/<slug:name>/compose/<slug:tile>/": Guarded(("/boards/{canary}/compose/t0/",)),
    "boards/<slug:name>/compose/new/<slug:kind>/": Guarded(("/boards/{canary}/compose/new/value/",)),
    "boards/<slug:name>/compose/words/": Guarded(("/boards/{canary}/compose/words/",)),
    "boards/<slug:name>/delete/": Guarded(("/boards/{canary}/delete/",)),
    "boards/<slug:name>/preview/": Guarded(("/boards/{canary}/preview/",)),
    "boards/<slug:name>/publish/": Guarded(("/boards/{canary}/publish/",)),
    "boards/<slug:name>/share/": Guarded(("/boards/{canary}/share/",)),
    "boards/<slug:name>/versions/": Guarded(("/boards/{canary}/versions/",)),
    "boards/<slug:name>/versions/<int:number>/": Guarded(("/boards/{canary}/versions/1/",)),
    "boards/new/": Guarded(("/boards/new/",)),
    "search/": Open(("/search/?q={canary}", "/search/?q=canari", "/search/?q=gate", "/search/?q=counter&kind=things")),
    "instruments/": Open(("/instruments/",)),
    "explorer/": Open(
        (
            "/explorer/",
            "/explorer/?stream=gate~people&from=2020-01-01&to=2030-01-01&q=gate&simulated=1",
            "/explorer/?stream={canary}~gate",
            "/explorer/?q={canary}",
            "/explorer/?dataset={canary}&property=people",
        )
    ),
    "explorer/analyses/": Open(("/explorer/analyses/",)),
    "explorer/typical-week/": Open(
        (
            "/explorer/typical-week/",
            "/explorer/typical-week/?stream={canary}",
            "/explorer/typical-week/?stream={canary}~gate&from=2023-11-01&to=2023-11-30",
            "/explorer/typical-week/?stream={canary}~gate&format=json",
            "/explorer/typical-week/?stream=gate~people&from=2023-11-01&to=2023-11-30&format=csv",
        )
    ),
    "explorer/calendar/": Open(
        (
            "/explorer/calendar/?stream={canary}~gate",
            "/explorer/calendar/?stream={canary}~none",
            "/explorer/calendar/?stream=gate~people&by=day&format=json",
        )
    ),
    "explorer/correlation/": Open(
        (
            "/explorer/correlation/?stream=gate~people&stream={canary}~gate",
            "/explorer/correlation/?stream=gate~people&stream={canary}~gate&format=csv",
        )
    ),
    "explorer/before-after/": Open(
        (
            "/explorer/before-after/?stream={canary}~gate&date=2023-11-14",
            "/explorer/before-after/?stream=gate~people&date=2023-11-14&control={canary}~gate&format=json",
        )
    ),
    "explorer/series.json": Open(
        (
            "/explorer/series.json?stream={canary}~gate",
            "/explorer/series.json?stream={canary}~none",
            "/explorer/series.json?stream=gate~people&stream={canary}~gate&from=2020-01-01&to=2030-01-01",
            "/explorer/series.json?stream={canary}~gate&from=all",
        )
    ),
    "explorer/places.json": Open(
        (
            "/explorer/places.json",
            "/explorer/places.json?q={canary}&simulated=1",
            "/explorer/places.json?thing={canary}&choose=map",
        )
    ),
    "explorer/^values\\.(?P<suffix>csv|json)\\Z": Open(
        (
            "/explorer/values.csv?stream={canary}~gate",
            "/explorer/values.json?stream={canary}~none",
            "/explorer/values.csv?stream=gate~people&stream={canary}~gate&from=2020-01-01&to=2030-01-01&compare=P1Y",
        )
    ),
    "explorer/origin/": Open(
        (
            "/explorer/origin/?stream=gate~people",
            "/explorer/origin/?stream={canary}~gate",
            "/explorer/origin/?stream={canary}~none&time=2026-01-01",
            "/explorer/origin/?stream=gate~people&from=2020-01-01&to=2030-01-01",
        )
    ),
    "forecasts/": Open(("/forecasts/",)),
    "forecasts/<slug:forecast>/": Open(
        (
            "/forecasts/{canary}-forecast/",
            "/forecasts/no-forecast/",
            "/forecasts/gate/",
            "/forecasts/gate/?stream={canary}~gate",
            "/forecasts/gate/?stream={canary}~none",
        )
    ),
    "rules/": Open(("/rules/",)),
    "rules/<str:rule>/": Open(("/rules/{canary}-rule/", "/rules/no-rule/")),
    "rules/<str:rule>/decide/": Guarded(("/rules/{canary}-rule/decide/",)),
    "rules/<str:rule>/edit/": Guarded(("/rules/{canary}-rule/edit/",)),
    "rules/<str:rule>/history/": Guarded(("/rules/{canary}-rule/history/",)),
    "rules/<str:rule>/run/": Guarded(("/rules/{canary}-rule/run/",)),
    "rules/<str:rule>/value/": Open(("/rules/{canary}-rule/value/?stream={canary}~people", "/rules/no-rule/value/")),
    "rules/count/": Guarded(("/rules/count/?property=people",)),
    "rules/new/": Guarded(("/rules/new/",)),
    "office/audit/": Guarded(("/office/audit/", "/office/audit/?object=dataset:{canary}")),
    "accounts/people/<int:number>/erase/": Apart("POST alone, guarded as the page is"),
    "office/persons/": Guarded(("/office/persons/",)),
    "office/persons/<int:number>/": Guarded(("/office/persons/1/",)),
    "office/persons/<int:number>/file/": Guarded(("/office/persons/1/file/",)),
    "office/access/": Guarded(("/office/access/",)),
    "office/access/<int:number>/withdraw/": Apart("POST alone, guarded as the page is"),
    "office/access/<str:name>/": Guarded(("/office/access/{canary}/", "/office/access/no-dataset/")),
    "alerts/": Open(("/alerts/", "/alerts/?page=2")),
    "alerts/cap/": Open(("/alerts/cap/",)),
    "alerts/cap/<str:name>.xml": Open(("/alerts/cap/{canary}-alert~1.xml", "/alerts/cap/none~1.xml")),
    "alerts/acknowledge/<str:token>/": Apart("asks for a signed link; test_alert_pages holds it to that"),
    "alerts/<str:name>/": Open(("/alerts/{canary}-alert~1/", "/alerts/none~1/", "/alerts/{canary}-inside~1/")),
    "office/alerts/": Guarded(("/office/alerts/",)),
    "office/alerts/deliveries/": Guarded(("/office/alerts/deliveries/",)),
    "office/alerts/silence/": Apart("POST alone, guarded as the desk is"),
    "office/alerts/silences/<int:number>/end/": Apart("POST alone, guarded as the desk is"),
    "office/alerts/past/<str:key>/": Guarded(("/office/alerts/past/{canary}-alert/", "/office/alerts/past/none/")),
    "office/alerts/<str:name>/acknowledge/": Apart("POST alone, guarded as the desk is"),
    "transparency/": Open(("/transparency/", "/transparency/?dataset={canary}", "/transparency/?dataset=none")),
    "transparency/<str:thing_id>/": Open(
        ("/transparency/gate/", "/transparency/{canary}-thing/", "/transparency/no-thing/")
    ),
    "transparency/<str:thing_id>/label/": Open(("/transparency/{canary}-thing/label/",)),
    "transparency/<str:thing_id>/label.svg": Open(("/transparency/{canary}-thing/label.svg",)),
    "feedback/": Open(("/feedback/",)),
    "feedback/thanks/": Open(("/feedback/thanks/",)),
    "feedback/messages/": Guarded(("/feedback/messages/",)),
    "feedback/messages/<int:number>/settled/": Apart("POST alone, guarded as the list is"),
    "parking/": Open(("/parking/", "/parking/?to={canary}&stay=60", "/parking/?near=11.586,50.927&need=disabled")),
    "parking/board": Open(("/parking/board",)),
    "parking/board.json": Open(
        ("/parking/board.json", "/parking/board.json?what=street", "/parking/board.json?what=bay")
    ),
    "parking/map.json": Open(("/parking/map.json",)),
    "parking/plan/": Open(("/parking/plan/", "/parking/plan/?site={canary}-thing&date=2023-11-14")),
    "parking/plan/plan.csv": Open(("/parking/plan/plan.csv?site={canary}-thing&date=2023-11-14",)),
    "parking/reports/": Guarded(("/parking/reports/",)),
    "parking/reports/<str:month>/": Guarded(("/parking/reports/2023-11/",)),
    "parking/reports/<str:month>/close": Guarded(("/parking/reports/2023-11/close",)),
    "parking/reports/<str:month>/report.<str:form>": Guarded(("/parking/reports/2023-11/report.pdf",)),
    "parking/arrival/": Open(("/parking/arrival/",)),
    "parking/arrival/arrival.json": Open(("/parking/arrival/arrival.json",)),
    "parking/tariffs/": Open(("/parking/tariffs/?where=parking-altmarkt", "/parking/tariffs/?where={canary}-thing")),
    "parking/tariffs/tariffs.json": Open(("/parking/tariffs/tariffs.json",)),
    "parking/tariffs/cost.json": Open(("/parking/tariffs/cost.json?where=parking-hafen",)),
    "parking/signs/": Open(("/parking/signs/", "/parking/signs/?state=unknown")),
    "parking/api/datex2/v3/signs-table.xml": Apart("masts and displays of the profile, no data"),
    "parking/api/datex2/v3/signs.xml": Apart("what signs show; it is decided by what everybody may see"),
    "parking/signs/operate/": Guarded(("/parking/signs/operate/",)),
    "parking/signs/operate/<int:key>/end": Apart("writes; asks for the deed of an operator"),
    "parking/signs/<str:sign>/": Open(("/parking/signs/mast-1-a/", "/parking/signs/{canary}/")),
    "parking/signs/<str:sign>/feed": Open(("/parking/signs/no-sign/feed", "/parking/signs/{canary}/feed")),
    "parking/signs/<str:sign>/feed.txt": Open(("/parking/signs/no-sign/feed.txt", "/parking/signs/{canary}/feed.txt")),
    "parking/signs/<str:sign>/report": Apart("takes what a sign's device says, by the token of that sign"),
    "parking/signs/<str:sign>/token": Apart("writes; asks for the deed of an operator"),
    "parking/operate/": Guarded(("/parking/operate/", "/parking/operate/?show=all")),
    "parking/operate/board": Guarded(("/parking/operate/board",)),
    "parking/operate/events/": Guarded(("/parking/operate/events/",)),
    "parking/operate/events/<int:pk>/end": Guarded(("/parking/operate/events/1/end",)),
    "parking/operate/tariffs/": Guarded(("/parking/operate/tariffs/",)),
    "parking/operate/tariffs/new": Guarded(("/parking/operate/tariffs/new?plan={canary}",)),
    "parking/operate/tariffs/<int:pk>/": Guarded(("/parking/operate/tariffs/1/",)),
    "parking/operate/tariffs/<int:pk>/<str:step>": Guarded(("/parking/operate/tariffs/1/release",)),
    "parking/operate/site/<str:site>/": Guarded(
        ("/parking/operate/site/parking-altmarkt/", "/parking/operate/site/{canary}-thing/")
    ),
    "parking/operate/site/<str:site>/add/<str:kind>": Guarded(("/parking/operate/site/{canary}-thing/add/override",)),
    "parking/operate/site/<str:site>/calibration/<int:pk>": Guarded(
        ("/parking/operate/site/{canary}-thing/calibration/1",)
    ),
    "parking/operate/site/<str:site>/<str:kind>/<int:pk>/end": Guarded(
        ("/parking/operate/site/{canary}-thing/override/1/end",)
    ),
    "parking/<str:thing_id>/": Open(("/parking/parking-altmarkt/", "/parking/{canary}-thing/", "/parking/no-thing/")),
    "parking/<str:thing_id>/now": Open(("/parking/parking-altmarkt/now", "/parking/{canary}-thing/now")),
    "parking/<str:thing_id>/history.json": Open(
        ("/parking/parking-altmarkt/history.json?span=day", "/parking/{canary}-thing/history.json?span=day")
    ),
    "parking/widget/": Open(("/parking/widget/", "/parking/widget/?site={canary}-thing")),
    "parking/widget/build/": Open(("/parking/widget/build/", "/parking/widget/build/?site={canary}-thing")),
    "parking/developers/": Open(("/parking/developers/",)),
    **{
        f"parking/api/{path}": Open((f"/parking/api/{path}", f"/parking/api/{path}?simulated=true"))
        for path in _PARKING
    },
    "parking/api/public/v3/parking-sites/<int:number>": Open(("/parking/api/public/v3/parking-sites/1",)),
    "parking/api/public/v3/parking-sites/<int:number>/history": Open(
        ("/parking/api/public/v3/parking-sites/1/history",)
    ),
    "parking/api/openapi.json": Open(("/parking/api/openapi.json",)),
    "parking/api/public/v3/parking-spots/<int:number>": Open(("/parking/api/public/v3/parking-spots/1",)),
    "parking/api/public/v3/sources/<int:number>": Open(("/parking/api/public/v3/sources/1",)),
    "parking/api/sites/<str:thing_id>/history.csv": Open(
        ("/parking/api/sites/parking-altmarkt/history.csv", "/parking/api/sites/{canary}-thing/history.csv")
    ),
    "subscriptions/": Open(("/subscriptions/", "/subscriptions/?q={canary}", "/subscriptions/?q=gate")),
    "subscriptions/new/": Open(
        tuple(
            f"/subscriptions/new/{asked}"
            for asked in (
                "",
                "?dataset={canary}",
                "?dataset={canary}-people",
                "?dataset=sensors",
                "?thing={canary}-thing",
                "?thing=gate",
                "?thing=none",
                "?stream={canary}~gate",
                "?stream=gate~people",
                "?alert={canary}-alert",
                "?near=-12.0,38.0,5000",
                "?street={canary}",
            )
        )
    ),
    r"subscriptions/^feed\.(?P<kind>atom|rss|ics)\Z": Open(
        tuple(
            f"/subscriptions/feed.{asked}"
            for asked in (
                "atom",
                "rss",
                "ics",
                "atom?dataset={canary}",
                "ics?dataset=none",
                "atom?near=-12.0,38.0,5000",
                "rss?thing={canary}-thing",
                "ics?street={canary}",
            )
        )
    ),
    "subscriptions/sent/": Open(("/subscriptions/sent/",)),
    "subscriptions/push/": Apart("POST alone; what it selects is read as by subscriptions/new/"),
    "subscriptions/push/move/": Apart("POST alone: a browser's other endpoint, by the one before"),
    "subscriptions/push/mine/": Apart("POST alone: a browser's own list, by its endpoint"),
    "subscriptions/worker.js": Apart("a script, the same for all"),
    "subscriptions/ended/": Apart("says that something ended"),
    "subscriptions/mine/": Open(("/subscriptions/mine/",)),
    **dict.fromkeys(
        (
            "subscriptions/confirm/<str:token>/",
            "subscriptions/mine/<str:token>/",
            "subscriptions/mine/<str:token>/end/<int:number>/",
            "subscriptions/off/<str:token>/",
            "subscriptions/renew/<str:token>/",
        ),
        Apart("behind a link that is signed; what it names is told of in tests/web/test_subscriptions.py"),
    ),
    "": Open(("/",)),
    "sources/": Open(("/sources/",)),
    "sources/<slug:source>/rejections/": Guarded(
        ("/sources/chirpstack/rejections/", "/sources/{canary}-source/rejections/")
    ),
    "about/": Open(("/about/",)),
    "api/": Open(("/api/",)),
    "openapi.json": Open(("/openapi.json",)),
    "accessibility/": Open(("/accessibility/",)),
    "privacy/": Open(("/privacy/",)),
    "security/": Open(("/security/",)),
    "imprint/": Open(("/imprint/",)),
    "licences/": Open(("/licences/",)),
    "language/<slug:code>/": Apart("sets a cookie"),
    "geo/<slug:name>.json": Open(("/geo/districts.json", "/geo/boundary.json")),
}
