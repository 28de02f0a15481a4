"""Settings of accounts: a part of Config, which says where they come from."""

from typing import Annotated, Literal

from allmende.web.notice_settings import NoticeSettings
from allmende.web.setting import describe as _setting

ROLES = ("reader", "contributor", "editor", "steward", "administrator")
"""Looks; gives data of their own; describes datasets, sources and rules; releases them and decides on access; looks
after people and the house. Each has all that those before it have."""


class AccountSettings(NoticeSettings, frozen=True, kw_only=True):
    """Who gets an account, and how people show that they are who they are."""

    registration: Annotated[
        Literal["closed", "invited", "open"],
        _setting(
            "ALLMENDE_REGISTRATION",
            "Accounts",
            "Who may make an account: nobody but the administrator (`closed`), whoever has a link of "
            "`allmende user invite` (`invited`), or anybody (`open`). An account that somebody made for themselves "
            "waits until its e-mail address is confirmed; where no mail is set up, until `allmende user open NAME`.",
        ),
    ] = "closed"
    second_factor: Annotated[
        Literal["auto", "nobody", "administrator", "steward", "editor", "contributor"],
        _setting(
            "ALLMENDE_SECOND_FACTOR",
            "Accounts",
            "The least role that asks for a second factor (a passkey, or codes of an app). Without one, an account may "
            "no more than the role before it. `auto`: steward, where the house is reached by HTTPS.",
        ),
    ] = "auto"
    session_hours: Annotated[
        int,
        _setting(
            "ALLMENDE_SESSION_HOURS",
            "Accounts",
            "Hours until somebody has to log in again; without a tick at `stay logged in`, the end of the browser's "
            "session, whatever comes first.",
            low=1,
            high=8760,
        ),
    ] = 14 * 24
    token_days: Annotated[
        int,
        _setting(
            "ALLMENDE_TOKEN_DAYS",
            "Accounts",
            "Days that a token lasts at most which somebody makes for themselves on the page of their account.",
            low=1,
            high=3650,
        ),
    ] = 365
    token_count: Annotated[
        int,
        _setting("ALLMENDE_TOKEN_COUNT", "Accounts", "Valid tokens that somebody may have made for themselves.", low=0),
    ] = 20
    oidc: Annotated[
        str,
        _setting(
            "ALLMENDE_OIDC",
            "Accounts",
            "A TOML file that names OpenID Connect providers (Keycloak, BundID and others) and says which of their "
            "groups get which role: docs/how-to/accounts.md. Empty: none.",
        ),
    ] = ""

    backup_kept_days: Annotated[
        int,
        _setting(
            "ALLMENDE_BACKUP_KEPT_DAYS",
            "Accounts",
            "Days that backups are kept. Whoever has something erased is told that backups hold it for so long; for so "
            "long the house remembers (without a name) what a restored backup has to forget again. "
            "`allmende backup --prune` deletes those that are older.",
            low=1,
            high=3650,
        ),
    ] = 28
    person_file_days: Annotated[
        int,
        _setting(
            "ALLMENDE_PERSON_FILE_DAYS",
            "Accounts",
            "Days that the file lies ready to be fetched for somebody who asked for all that is held of them.",
            low=1,
            high=90,
        ),
    ] = 14

    def asks_second_factor(self, https: bool) -> str:
        """The least role that asks for a second factor; empty where none does."""
        if self.second_factor == "auto":
            return "steward" if https else ""
        return "" if self.second_factor == "nobody" else self.second_factor
