"""Words for amounts and ages, the same in every service. All texts are translated at the call."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def say_age(moment: datetime, now: datetime) -> str:
    """How long ago ``moment`` was at ``now`` (both aware), in the largest whole unit: "3 minutes ago".

    Anything less than a minute old, or in the future because clocks differ, is "just now".
    """
    minutes = int((now - moment).total_seconds()) // 60
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    days = hours // 24
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
