"""Troubles of sources in words of the active language."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.domain.profile import Profile
from allmende.domain.times import DAY, HOUR, MINUTE
from allmende.web.worker.models import Trouble


def say_kind(kind: str) -> str:
    """The trouble in two or three words."""
    return {
        "missing": _("Missing"),
        "late": _("Late"),
        "frozen": _("Values stand still"),
        "range": _("Implausible values"),
        "columns": _("Changed columns"),
        "clock": _("Wrong clock"),
        "duplicated": _("Delivered twice"),
        "rejected": _("Unreadable data"),
        "harvest": _("Catalogue not harvested"),
        "held": _("Many datasets vanished"),
    }.get(kind, kind)


def say_title(profile: Profile, trouble: Trouble, *, over: bool) -> str:
    """The subject of a mail."""
    source = profile.sources.get(trouble.source) or profile.harvests.get(trouble.source.removeprefix("harvest:"))
    texts = source.title if source else {}
    name = texts.get(profile.languages[0], trouble.source)
    words = {"city": profile.name, "source": name, "trouble": say_kind(trouble.kind)}
    if over:
        return _("%(city)s: %(source)s works again (%(trouble)s)") % words
    return _("%(city)s: %(source)s: %(trouble)s") % words


def say_trouble(kind: str, finding: Mapping[str, Any]) -> str:
    """What is wrong, in a sentence or three; a finding as :class:`allmende.domain.watch.Finding` in plain JSON."""
    facts = finding.get("facts", {})
    parts = [_sentence(kind, int(finding.get("count", 0)), int(finding.get("of", 0)), facts)]
    if facts.get("error"):
        parts.append(_("Last error: %(error)s") % {"error": facts["error"]})
    streams = finding.get("streams") or ()
    if streams:
        shown = ", ".join(streams)
        more = int(finding.get("count", 0)) - len(streams)
        parts.append((_("Streams: %s") % shown) + (f" … (+{more})" if more > 0 else ""))
    return " ".join(parts)


def _sentence(kind: str, count: int, of: int, facts: Mapping[str, Any]) -> str:
    if kind == "harvest":
        return _("The catalogue could not be taken over several times in a row.")
    if kind == "held":
        return _(
            "%(count)s datasets vanished at once from the catalogue. None was withdrawn: somebody has to look whether "
            "that is right, and confirm it with “allmende harvest NAME --accept”."
        ) % {"count": facts.get("count", 0)}
    if kind in ("missing", "late") and not count:
        if facts.get("last") is None:
            return _("Nothing ever came from this source.")
        return _("Nothing came since %(moment)s.") % {"moment": _moment(facts["last"])}
    streams = ngettext("%(count)s of %(of)s stream", "%(count)s of %(of)s streams", of) % {"count": count, "of": of}
    if kind == "missing":
        return _("%(streams)s are silent while the others speak.") % {"streams": streams}
    if kind == "frozen":
        return _("%(streams)s have shown the same value since %(moment)s.") % {
            "streams": streams,
            "moment": _moment(facts.get("since") or 0),
        }
    if kind == "clock" and "ahead" in facts:
        return _("%(streams)s are ahead of our clock, by %(span)s.") % {
            "streams": streams,
            "span": _span(facts["ahead"]),
        }
    if kind == "clock":
        return _("The newest value was %(span)s old when it came.") % {"span": _span(facts.get("behind", 0))}
    if kind == "columns":
        return _columns(facts)
    share = _share(facts)
    return {
        "range": _("%(share)s of the values lie outside of what can be.") % {"share": share},
        "duplicated": _("%(share)s of the values had come before.") % {"share": share},
        "rejected": _("%(share)s of what came could not be read.") % {"share": share},
    }.get(kind, kind)


def _columns(facts: Mapping[str, Any]) -> str:
    parts = []
    if facts.get("lost"):
        parts.append(_("Lost: %s.") % ", ".join(facts["lost"]))
    if facts.get("new"):
        parts.append(_("New: %s.") % ", ".join(facts["new"]))
    return " ".join(parts)


def _share(facts: Mapping[str, Any]) -> str:
    return f"{100 * float(facts.get('share', 0)):.0f} %"


def _moment(micros: int) -> str:
    local = timezone.localtime(datetime.fromtimestamp(micros / 1_000_000, UTC))
    return date_format(local, "SHORT_DATETIME_FORMAT")


def _span(micros: int) -> str:
    if micros >= 2 * DAY:
        return ngettext("%d day", "%d days", round(micros / DAY)) % round(micros / DAY)
    if micros >= 2 * HOUR:
        return ngettext("%d hour", "%d hours", round(micros / HOUR)) % round(micros / HOUR)
    minutes = max(1, round(micros / MINUTE))
    return ngettext("%d minute", "%d minutes", minutes) % minutes
