"""Settings of what a request, a client or a disk may ask of the house: a part of Config."""

from typing import Annotated

from allmende.web.message_settings import MessageSettings
from allmende.web.setting import KIB, MIB
from allmende.web.setting import describe as _setting


class LimitSettings(MessageSettings, frozen=True, kw_only=True):
    """Every limit, each with a safe default. (One class builds on the other, since structs have one base.)"""

    body_bytes: Annotated[
        int, _setting("ALLMENDE_BODY_BYTES", "Limits", "Largest body of a request.", low=1024, high=1024 * MIB)
    ] = 4 * MIB
    upload_bytes: Annotated[
        int, _setting("ALLMENDE_UPLOAD_BYTES", "Limits", "Largest file sent by a form.", low=1024, high=4096 * MIB)
    ] = 32 * MIB
    page_size: Annotated[
        int, _setting("ALLMENDE_PAGE_SIZE", "Limits", "Entities a page where `$top` is not given.", low=1)
    ] = 100
    page_size_max: Annotated[
        int, _setting("ALLMENDE_PAGE_SIZE_MAX", "Limits", "Entities a page at most, whatever `$top` says.", low=1)
    ] = 1000
    skip_max: Annotated[
        int, _setting("ALLMENDE_SKIP_MAX", "Limits", "Largest `$skip`; further on, follow the next links.", low=0)
    ] = 100_000
    tile_features: Annotated[
        int, _setting("ALLMENDE_TILE_FEATURES", "Limits", "Features of one vector tile at most.", low=1, high=100_000)
    ] = 10_000
    tile_cache_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_TILE_CACHE_BYTES",
            "Limits",
            "Vector tiles of open collections that each web process keeps as they were drawn, until their collection "
            "changes; 0 keeps none.",
            low=0,
        ),
    ] = 32 * MIB
    answer_cache_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_ANSWER_CACHE_BYTES",
            "Limits",
            "Answers that are the same for everybody and that each web process keeps while nothing of them changes, a "
            "second at most; 0 keeps none.",
            low=0,
        ),
    ] = 32 * MIB
    expand_depth: Annotated[int, _setting("ALLMENDE_EXPAND_DEPTH", "Limits", "Levels of `$expand`.", low=0, high=5)] = 3
    expand_rows: Annotated[
        int,
        _setting(
            "ALLMENDE_EXPAND_ROWS",
            "Limits",
            "Entities that one level of `$expand` brings at most; beyond, the pages inside get shorter, down to one "
            "entity each, and go on by their own `@iot.nextLink`.",
            low=1000,
        ),
    ] = 100_000
    address_length: Annotated[
        int,
        _setting(
            "ALLMENDE_ADDRESS_LENGTH",
            "Limits",
            "Characters of an address with its options, as they are sent; also of one inside of a `$batch`.",
            low=1024,
            high=MIB,
        ),
    ] = 32 * KIB
    filter_length: Annotated[
        int, _setting("ALLMENDE_FILTER_LENGTH", "Limits", "Characters of a `$filter`.", low=16, high=64 * KIB)
    ] = 2000
    deep_insert_max: Annotated[
        int, _setting("ALLMENDE_DEEP_INSERT_MAX", "Limits", "Entities created at once by a deep insert.", low=1)
    ] = 1000
    batch_size: Annotated[int, _setting("ALLMENDE_BATCH_SIZE", "Limits", "Requests within one `$batch`.", low=1)] = 1000
    batch_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_BATCH_BYTES",
            "Limits",
            "Size of the answers of one `$batch`, from which on no other request of it is begun.",
            low=1024,
        ),
    ] = 64 * MIB
    batch_seconds: Annotated[
        float,
        _setting(
            "ALLMENDE_BATCH_SECONDS",
            "Limits",
            "Time after which no other request of a `$batch` is begun; those that are left are refused.",
            low=0,
        ),
    ] = 60.0
    bulk_rows: Annotated[
        int,
        _setting(
            "ALLMENDE_BULK_ROWS",
            "Limits",
            "Rows of one `CreateObservations`, all groups together. They are one transaction, and other writers wait "
            "for it, one to three seconds for 50,000.",
            low=1,
        ),
    ] = 50_000
    patch_operations: Annotated[
        int, _setting("ALLMENDE_PATCH_OPERATIONS", "Limits", "Operations of one JSON Patch.", low=1, high=10_000)
    ] = 200
    patch_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_PATCH_BYTES", "Limits", "Size of one JSON Patch, and of what it copies.", low=256, high=4 * MIB
        ),
    ] = 64 * KIB
    delete_max: Annotated[
        int,
        _setting(
            "ALLMENDE_DELETE_MAX", "Limits", "Entities deleted at once by `DELETE` of a set with a `$filter`.", low=1
        ),
    ] = 10_000
    result_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_RESULT_BYTES",
            "Limits",
            "Largest text or JSON of one observation's result, or of one feature's properties.",
            low=1024,
        ),
    ] = 256 * KIB
    geometry_bytes: Annotated[
        int, _setting("ALLMENDE_GEOMETRY_BYTES", "Limits", "Largest geometry of one feature, as GeoJSON.", low=KIB)
    ] = 4 * MIB
    pull_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_PULL_BYTES",
            "Limits",
            "Largest answer of an address that the worker asks. It is written to a temporary file in `ALLMENDE_HOME` "
            "and read in pieces; a document that cannot be cut (framing `whole`) may have 64 MiB.",
            low=KIB,
        ),
    ] = 1024 * MIB
    pull_seconds: Annotated[
        float,
        _setting(
            "ALLMENDE_PULL_SECONDS",
            "Limits",
            "How long such an answer may take from the connection to its last byte.",
            low=1,
        ),
    ] = 600.0
    future_seconds: Annotated[
        float,
        _setting(
            "ALLMENDE_FUTURE_SECONDS",
            "Limits",
            "How far ahead of the clock of the house a reading may lie. Beyond it, somebody's clock is wrong.",
            low=0,
        ),
    ] = 86_400.0
    forecast_seconds: Annotated[
        float,
        _setting(
            "ALLMENDE_FORECAST_SECONDS",
            "Limits",
            "How far behind its run a forecast may look. Beyond it, a time was misread.",
            low=0,
        ),
    ] = 400 * 86_400.0
    filter_cost: Annotated[
        int,
        _setting(
            "ALLMENDE_FILTER_COST",
            "Limits",
            "What a `$filter`, `$orderby` or `$apply` may hold: each expression, each step of a path and each measure "
            "counts 1, `any()` and spatial functions 10.",
            low=16,
            high=100_000,
        ),
    ] = 1000
    compress: Annotated[
        bool,
        _setting(
            "ALLMENDE_COMPRESS",
            "Limits",
            "Compress what the APIs answer (zstd, gzip) for clients that take it. Switch it off where a proxy does.",
        ),
    ] = True
    query_seconds: Annotated[
        float, _setting("ALLMENDE_QUERY_SECONDS", "Limits", "Time that one question may take in the store.", low=0.1)
    ] = 10.0
    proxies: Annotated[
        int,
        _setting(
            "ALLMENDE_PROXIES",
            "Limits",
            "How many proxies of yours stand before the house and append to `X-Forwarded-For`: limits then count the "
            "address that the outermost of them saw. 0: the address that the connection comes from.",
            low=0,
            high=10,
        ),
    ] = 0
    rate_limit: Annotated[
        int,
        _setting(
            "ALLMENDE_RATE_LIMIT",
            "Limits",
            "Requests a minute from one address (IPv6: one /64), but for the pages' files, `/health`, `/ready` and "
            "`/metrics`; all processes of the web server count together. 0: no limit.",
            low=0,
        ),
    ] = 1200
    token_rate_limit: Annotated[
        int,
        _setting(
            "ALLMENDE_TOKEN_RATE_LIMIT",
            "Limits",
            "The same for each valid token, wherever it comes from, instead of its address. 0: no limit.",
            low=0,
        ),
    ] = 6000
    disk_floor: Annotated[
        int,
        _setting(
            "ALLMENDE_DISK_FLOOR",
            "Limits",
            "Free bytes of the home's disk below which new data is refused with a clear word.",
            low=0,
        ),
    ] = 256 * MIB
    disk_warning: Annotated[
        int,
        _setting(
            "ALLMENDE_DISK_WARNING",
            "Limits",
            "Free bytes above ALLMENDE_DISK_FLOOR below which the log and `allmende check` warn, and retention is "
            "applied at once instead of within the hour.",
            low=0,
        ),
    ] = 1024 * MIB
    database_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_DATABASE_BYTES",
            "Limits",
            "Size of a PostgreSQL database from which on new data is refused with a clear word: the server's disk is "
            "not seen from here. 0: no limit.",
            low=0,
        ),
    ] = 0
    rule_readings: Annotated[
        int,
        _setting(
            "ALLMENDE_RULE_READINGS", "Limits", "Readings that a rule takes in for one group at a time.", low=1000
        ),
    ] = 500_000
    rule_steps: Annotated[
        int,
        _setting(
            "ALLMENDE_RULE_STEPS",
            "Limits",
            "What one value of a rule may cost: parts of its expressions times readings.",
            low=1000,
        ),
    ] = 20_000_000
    rule_preview_values: Annotated[
        int,
        _setting(
            "ALLMENDE_RULE_PREVIEW_VALUES",
            "Limits",
            "Values that a look at a rule's past in the browser may work out.",
            low=100,
        ),
    ] = 100_000
    rule_preview_seconds: Annotated[
        float,
        _setting("ALLMENDE_RULE_PREVIEW_SECONDS", "Limits", "Time that such a look may take.", low=0.1),
    ] = 10.0
    rule_run_values: Annotated[
        int,
        _setting(
            "ALLMENDE_RULE_RUN_VALUES",
            "Limits",
            "Values that the past of a rule may have that is worked out anew. They are swapped in at once: on SQLite "
            "other writers wait for so long.",
            low=1000,
        ),
    ] = 20_000_000
    rejection_bytes: Annotated[
        int,
        _setting("ALLMENDE_REJECTION_BYTES", "Limits", "Bytes of rejected messages kept; the oldest go first.", low=0),
    ] = 64 * MIB
    rejection_source_bytes: Annotated[
        int,
        _setting("ALLMENDE_REJECTION_SOURCE_BYTES", "Limits", "The same for each source by itself.", low=0),
    ] = 16 * MIB
    rejection_source_count: Annotated[
        int,
        _setting("ALLMENDE_REJECTION_SOURCE_COUNT", "Limits", "Rejected messages kept of one source.", low=0),
    ] = 20_000
    rejection_each_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_REJECTION_EACH_BYTES",
            "Limits",
            "Bytes kept of one rejected message. Of a larger one the head is kept, which cannot be replayed.",
            low=1024,
        ),
    ] = 256 * KIB
    rejection_days: Annotated[
        float, _setting("ALLMENDE_REJECTION_DAYS", "Limits", "Days that rejected messages are kept.", low=0)
    ] = 30.0
    grant_days: Annotated[
        int,
        _setting(
            "ALLMENDE_GRANT_DAYS",
            "Limits",
            "Days that access to a dataset that is not open is granted for at most; after that it is decided anew.",
            low=1,
        ),
    ] = 366
    write_wait: Annotated[
        float,
        _setting("ALLMENDE_WRITE_WAIT", "Limits", "Time to wait for a turn to write before giving up.", low=0.1),
    ] = 20.0
