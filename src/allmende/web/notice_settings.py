"""Settings of what the house tells people: a part of Config, which says where they come from."""

from typing import Annotated

from allmende.web.own_settings import OwnSettings
from allmende.web.setting import describe as _setting


class NoticeSettings(OwnSettings, frozen=True, kw_only=True):
    """Mail and webhooks. Without them nobody is told; pages and metrics show it all the same."""

    mail_url: Annotated[
        str,
        _setting(
            "ALLMENDE_MAIL_URL",
            "Notices",
            "Where mail is handed over: `smtp://user:password@host:587` (STARTTLS), `smtps://user:password@host:465`, "
            "or `smtp+plain://host:25` without encryption. Empty: the house sends no mail.",
            schemes=("smtp", "smtps", "smtp+plain"),
            secret=True,
            shown="none",
        ),
    ] = ""
    mail_from: Annotated[
        str, _setting("ALLMENDE_MAIL_FROM", "Notices", "The sender of the house's mail, e.g. `allmende@city.example`.")
    ] = ""
    responsible: Annotated[
        str,
        _setting(
            "ALLMENDE_RESPONSIBLE",
            "Notices",
            "Whom to tell when a source is in trouble, and when it is over: an e-mail address. "
            "A source's own `responsible` in the city's profile goes before it.",
        ),
    ] = ""
    trouble_webhook: Annotated[
        str,
        _setting(
            "ALLMENDE_TROUBLE_WEBHOOK",
            "Notices",
            "Address that gets a POST with JSON (`id`, `source`, `kind`, `state`, `text`) for the same.",
            schemes=("http", "https"),
            secret=True,
            shown="none",
        ),
    ] = ""
    feedback_to: Annotated[
        str,
        _setting(
            "ALLMENDE_FEEDBACK_TO",
            "Notices",
            "Who gets by mail what people report by the form for barriers and faults. Empty: the profile's fact "
            "`operator_email`; it stands at `/feedback/messages/` in any case.",
        ),
    ] = ""
    feedback_rate: Annotated[
        int,
        _setting(
            "ALLMENDE_FEEDBACK_RATE",
            "Notices",
            "Messages a minute that each process takes by that form from one address.",
            low=1,
        ),
    ] = 3
    security_contact: Annotated[
        str,
        _setting(
            "ALLMENDE_SECURITY_CONTACT",
            "Notices",
            "Whom to tell of a weakness, for `/.well-known/security.txt` (RFC 9116): `mailto:…`, `https://…` or "
            "`tel:…`. Empty: the profile's fact `operator_email`; without it the file is not there.",
        ),
    ] = ""
