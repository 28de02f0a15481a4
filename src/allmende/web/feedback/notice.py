"""Tells the operator by mail what people told the house, once."""

import structlog
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from allmende.domain.profile import Profile, as_list
from allmende.web.config import Config
from allmende.web.feedback.forms import TITLES
from allmende.web.feedback.models import Message

_MOST = 20

log = structlog.get_logger("allmende.feedback")


def tell_operator(profile: Profile, config: Config) -> None:
    """Hand over what waits; where mail is not set up, it waits in the list. At least once, with one Message-ID."""
    operator = as_list(profile.facts.get("operator_email"))
    to = config.feedback_to or (str(operator[0].value) if operator else "")
    if not (config.mail_url and to):
        return
    for message in Message.objects.filter(told__isnull=True).order_by("at")[:_MOST]:
        with translation.override(profile.languages[0]):
            title = f"{profile.name}: {TITLES[message.kind]}"
            where = _("Page: %(page)s") % {"page": message.page} if message.page else ""
            mail = EmailMessage(
                subject=title,
                body="\n\n".join(part for part in (message.text, where) if part) + "\n",
                to=[to],
                reply_to=[message.email] if message.email else None,
                headers={"Message-ID": f"<feedback.{message.pk}@{profile.id}.allmende.invalid>"},
            )
        try:
            mail.send()
        except OSError as error:  # smtplib's errors are OSErrors
            log.warning("a message could not be handed over", error=f"{type(error).__name__}: {error}")
            return
        Message.objects.filter(pk=message.pk).update(told=timezone.now())
