"""Settings of questions in SQL: a part of Config."""

from typing import Annotated, Literal

from allmende.web.board_settings import BoardSettings
from allmende.web.setting import KIB, MIB
from allmende.web.setting import describe as _setting


class SqlSettings(BoardSettings, frozen=True, kw_only=True):
    """Who may ask, and what a question may take. (One class builds on the other.)"""

    sql: Annotated[
        Literal["everyone", "accounts", "nobody"],
        _setting(
            "ALLMENDE_SQL",
            "SQL",
            "Who may ask in SQL: everyone, who is logged in or has a token, or nobody. What was published stays to be "
            "read by all, unless it is nobody.",
        ),
    ] = "everyone"
    sql_seconds: Annotated[
        float, _setting("ALLMENDE_SQL_SECONDS", "SQL", "Longest time that a question may take.", low=1, high=600)
    ] = 20.0
    sql_seconds_anonymous: Annotated[
        float,
        _setting("ALLMENDE_SQL_SECONDS_ANONYMOUS", "SQL", "The same for who is not logged in.", low=1, high=600),
    ] = 8.0
    sql_rows: Annotated[int, _setting("ALLMENDE_SQL_ROWS", "SQL", "Rows of an answer.", low=1, high=10_000_000)] = (
        100_000
    )
    sql_rows_anonymous: Annotated[
        int,
        _setting("ALLMENDE_SQL_ROWS_ANONYMOUS", "SQL", "The same for who is not logged in.", low=1, high=10_000_000),
    ] = 20_000
    sql_bytes: Annotated[
        int, _setting("ALLMENDE_SQL_BYTES", "SQL", "Size of an answer, as JSON.", low=64 * KIB, high=1024 * MIB)
    ] = 8 * MIB
    sql_memory_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_SQL_MEMORY_BYTES",
            "SQL",
            "Memory of one question; its process takes some 200 MiB more at most.",
            low=64 * MIB,
        ),
    ] = 512 * MIB
    sql_temporary_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_SQL_TEMPORARY_BYTES",
            "SQL",
            "What one question may put aside on the disk where its memory is not enough; 0: none.",
            low=0,
        ),
    ] = 512 * MIB
    sql_threads: Annotated[int, _setting("ALLMENDE_SQL_THREADS", "SQL", "Cores of one question.", low=1, high=64)] = 1
    sql_at_once: Annotated[
        int,
        _setting(
            "ALLMENDE_SQL_AT_ONCE", "SQL", "Questions that are worked out at the same time on this machine.", low=1
        ),
    ] = 2
    sql_wait: Annotated[
        float,
        _setting(
            "ALLMENDE_SQL_WAIT",
            "SQL",
            "Seconds that a question waits for its turn before it is asked to come again.",
            low=0,
            high=60,
        ),
    ] = 5.0
    sql_length: Annotated[
        int, _setting("ALLMENDE_SQL_LENGTH", "SQL", "Characters of a question.", low=100, high=MIB)
    ] = 20_000
    sql_rate: Annotated[
        int,
        _setting(
            "ALLMENDE_SQL_RATE", "SQL", "Questions a minute that one account or token may ask; 0: any number.", low=0
        ),
    ] = 60
    sql_rate_anonymous: Annotated[
        int,
        _setting("ALLMENDE_SQL_RATE_ANONYMOUS", "SQL", "The same for an address without an account.", low=0),
    ] = 12
    sql_cache_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_SQL_CACHE_BYTES",
            "SQL",
            "Answers that are kept for who asks the same again, until the dumps are others.",
            low=0,
        ),
    ] = 256 * MIB
    sql_saved: Annotated[
        int, _setting("ALLMENDE_SQL_SAVED", "SQL", "Questions that one account may keep.", low=0, high=10_000)
    ] = 100
    sql_saved_days: Annotated[
        int,
        _setting(
            "ALLMENDE_SQL_SAVED_DAYS",
            "SQL",
            "Days after which a kept question that nobody opened and that was not published is deleted.",
            low=1,
            high=3660,
        ),
    ] = 730
