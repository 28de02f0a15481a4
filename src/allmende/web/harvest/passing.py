"""A pass with its state: tried, how it went, and who has to be told."""

import threading

import structlog

from allmende.connectors.fetching import without_secrets
from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.asking import Limits, source_of
from allmende.domain.harvest import HarvestProfile
from allmende.domain.profile import Profile
from allmende.web.config import Config
from allmende.web.harvest.models import State
from allmende.web.harvest.run import HeldError, Outcome, Pass, Stopped
from allmende.web.worker.models import Trouble
from allmende.web.worker.trouble import in_words
from allmende.web.worker.watch import HARVEST

TELL_AFTER = 3
"""Failures in a row, after which somebody is told."""

log = structlog.get_logger("allmende.harvest")


def limits_of(config: Config) -> Limits:
    """As the settings have them."""
    return Limits(
        page_bytes=config.harvest_bytes, page_statements=config.harvest_statements, pages=config.harvest_pages
    )


def pass_over(
    harvest: HarvestProfile,
    profile: Profile,
    config: Config,
    now: int,
    *,
    accept: bool = False,
    stop: threading.Event | None = None,
) -> tuple[Outcome, str]:
    """Run a pass and note how it went. Gives what it did, and what went wrong in words, "" for nothing.

    Raises Stopped.
    """
    State.objects.update_or_create(harvest=harvest.id, defaults={"tried": now})
    work = Pass(harvest, profile, limits_of(config), root_of(config), now, accept=accept, stop=stop)
    held = False
    try:
        work.run()
        error = ""
    except Stopped:
        raise
    except HeldError as trouble:
        error, held = str(trouble), True
    except Refused as refused:
        error = refused.reason
    except Exception as trouble:  # a stranger's server and document: whatever it is, it is asked again
        error = in_words(trouble, harvest.address)
        if "connector failed" in error:
            log.exception("a harvest stumbled", harvest=harvest.id)
    error = without_secrets(source_of(harvest), error)
    _note(harvest, work.outcome, error, held, now)
    return work.outcome, error


def root_of(config: Config) -> str:
    """By which address our own datasets are known to others."""
    return (config.public_url or config.url).rstrip("/")


def _note(harvest: HarvestProfile, outcome: Outcome, error: str, held: bool, now: int) -> None:
    state = State.objects.get(harvest=harvest.id)
    before, failures = state.error, state.failures
    state.error = error[:2000]
    if error and not held:
        state.failures += 1
    else:
        state.failures, state.succeeded = 0, now
    state.save(update_fields=["error", "failures", "succeeded"])
    name = HARVEST + harvest.id
    _trouble(name, "held", {"count": outcome.held} if held else None, now)
    lasting = state.failures >= TELL_AFTER
    if lasting or not error or held:
        _trouble(name, "harvest", {"error": error[:500]} if lasting else None, now)
    if error and error != before:
        log.warning("a harvest fails", harvest=harvest.id, error=error)
    elif failures and not error:
        log.info("a harvest works again", harvest=harvest.id)
    if outcome.new or outcome.changed or outcome.withdrawn:
        log.info("harvested", harvest=harvest.id, new=outcome.new, changed=outcome.changed, withdrawn=outcome.withdrawn)


def _trouble(name: str, kind: str, facts: dict[str, object] | None, now: int) -> None:
    open_ = Trouble.objects.filter(source=name, kind=kind, over__isnull=True)
    if facts is None:
        open_.update(over=now)
    elif not open_.update(found=now, finding={"facts": facts}):
        Trouble.objects.create(source=name, kind=kind, since=now, found=now, finding={"facts": facts})
