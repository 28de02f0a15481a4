"""Ask: who may, how much, how often; and what an answer says of where it comes from."""

from collections.abc import Callable, Sequence
from functools import cache

import msgspec
import structlog
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from allmende.domain.errors import Forbidden, InvalidInput, LimitExceeded, NotSupported, StorageError
from allmende.domain.profile import Profile
from allmende.knowledge.sql import run as process
from allmende.knowledge.sql.job import Answer, Column, Limits, Trouble
from allmende.knowledge.sql.views import OpenData, used
from allmende.web.accounts.clients import address_of, prefix_of
from allmende.web.counts import Bucket
from allmende.web.sql import kept
from allmende.web.sql.data import Shelf, shelf
from allmende.web.sql.slots import turn

log = structlog.get_logger("allmende.sql")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and what it was made of."""

    query: str
    columns: Sequence[Column]
    rows: msgspec.Raw
    count: int
    cut: str
    """``rows`` or ``bytes`` where there is more than a limit allows."""
    datasets: Sequence[OpenData]
    """Those that it may have been taken from."""
    state: str
    as_of: int | None

    def table(self) -> list[list[object]]:
        """The rows, decoded."""
        return msgspec.json.decode(self.rows, type=list[list[object]])


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Whose question it is, as far as limits go."""

    client: str
    known: bool
    """Logged in, or with a token."""

    @property
    def limits(self) -> Limits:
        config = settings.ALLMENDE
        return Limits(
            seconds=config.sql_seconds if self.known else min(config.sql_seconds, config.sql_seconds_anonymous),
            rows=config.sql_rows if self.known else min(config.sql_rows, config.sql_rows_anonymous),
            memory=config.sql_memory_bytes,
            temporary=config.sql_temporary_bytes,
            bytes=config.sql_bytes,
            threads=config.sql_threads,
        )


HOUSE = Who(client="", known=True)
"""For what was published: the city's own question, which counts for nobody."""


def who_asks(request: HttpRequest) -> Who:
    """By the reader that the middleware found."""
    name: str = request.house.reader.name  # type: ignore[attr-defined]  # set by HouseMiddleware
    if name.startswith(("user:", "token:")):
        return Who(client=name, known=True)
    return Who(client=prefix_of(address_of(request)), known=False)


def may_ask(who: Who) -> bool:
    """Whether the house lets them."""
    allowed = settings.ALLMENDE.sql
    return allowed == "everyone" or (allowed == "accounts" and who.known)


def ask(query: str, who: Who, profile: Profile) -> Found:
    """The answer. Raises Forbidden, InvalidInput for what is wrong with the question (in DuckDB's words, or ours),
    LimitExceeded with the setting, StorageBusy where it should be asked again later, NotSupported without DuckDB."""
    query = _readable(query)
    if settings.ALLMENDE.sql == "nobody" or (who.client and not may_ask(who)):
        raise Forbidden(_("Log in to ask in SQL."))
    if not process.is_there():
        raise NotSupported(_("This house has no DuckDB: its operator installs it with the extra “sql”."))
    stock, limits = shelf(profile), who.limits
    place = kept.place_of(stock.state, query, limits)
    answer = kept.find(place)
    if answer is None:
        _take_turn(who)
        answer = _work_out(query, stock, limits, profile.time_zone)
        kept.keep(place, answer)
    names = used(stock.views, query, answer.tables)
    return Found(
        query=query,
        columns=answer.columns,
        rows=answer.rows,
        count=answer.count,
        cut=answer.cut,
        datasets=[each for each in stock.data if each.id in names],
        state=stock.state,
        as_of=stock.as_of,
    )


def _readable(query: str) -> str:
    query = query.replace("\r\n", "\n").strip()
    most = settings.ALLMENDE.sql_length
    if not query:
        raise InvalidInput(_("There is no question."))
    if len(query) > most:
        raise LimitExceeded(
            _("The question has %(count)s characters.") % {"count": len(query)}, setting="ALLMENDE_SQL_LENGTH"
        )
    if "\0" in query or any("\ud800" <= sign <= "\udfff" for sign in query):
        raise InvalidInput(_("The question holds signs that are no text."))
    return query


def _take_turn(who: Who) -> None:
    config = settings.ALLMENDE
    rate = config.sql_rate if who.known else config.sql_rate_anonymous
    name = "ALLMENDE_SQL_RATE" if who.known else "ALLMENDE_SQL_RATE_ANONYMOUS"
    if who.client and rate and _bucket(rate, name).take(who.client):
        raise LimitExceeded(_("You asked too often: wait a minute."), setting=name)


@cache
def _bucket(rate: int, name: str) -> Bucket:
    return Bucket(rate, name)


def _work_out(query: str, stock: Shelf, limits: Limits, zone: str) -> Answer:
    config, folder = settings.ALLMENDE, kept.folder()
    with turn(folder, config.sql_at_once, config.sql_wait):
        said = process.run(
            query, views=stock.statements, files=stock.files, zone=zone, limits=limits, folder=folder
        )  # fmt: skip
    if isinstance(said, Answer):
        _tell_fences(tuple(said.held))
        return said
    if said.kind == "query" and stock.as_of is None:  # a table that is not there yet is no slip of who asks
        words = _("There is nothing to ask yet: the files are made at night, or by `allmende dump`.")
        raise InvalidInput(f"{words} {said.words}")
    raise _error_of(said, limits)


@cache
def _tell_fences(held: tuple[str, ...]) -> None:
    """Once a process: what of the kernel's fences holds here."""
    (log.info if len(held) == 3 else log.warning)("questions in SQL are fenced in", by=list(held))


def _error_of(said: Trouble, limits: Limits) -> Exception:
    if said.kind == "query":
        return InvalidInput(said.words)
    if said.kind == "statement":
        return InvalidInput(_statement(said.words))
    made: dict[str, Callable[[], Exception]] = {
        "time": lambda: LimitExceeded(
            _("The question takes longer than %(seconds)s seconds: ask for a shorter time or fewer streams.")
            % {"seconds": f"{limits.seconds:g}"},
            setting="ALLMENDE_SQL_SECONDS",
        ),
        "memory": lambda: LimitExceeded(
            _("The question needs more memory than it may take: sum up earlier, or ask for less."),
            setting="ALLMENDE_SQL_MEMORY_BYTES",
        ),
        "bytes": lambda: LimitExceeded(_("The answer is too large."), setting="ALLMENDE_SQL_BYTES"),
    }
    if said.kind in made:
        return made[said.kind]()
    log.warning("a question in SQL ended without an answer", kind=said.kind, said=said.words)
    return StorageError(_("The question could not be worked out: its process ended."))


def _statement(words: str) -> str:
    if words == "none":
        return _("There is no question, only a comment.")
    if words == "many":
        return _("Ask one question at a time.")
    if words == "MULTI":
        return _("Name the columns of PIVOT: PIVOT … ON column IN ('a', 'b') …")
    return _("Only questions are answered (SELECT, WITH, FROM, DESCRIBE, SUMMARIZE, EXPLAIN); this is %(kind)s.") % {
        "kind": words
    }
