"""Settings of the back office: a part of Config."""

from typing import Annotated

from allmende.web.limit_settings import LimitSettings
from allmende.web.setting import MIB
from allmende.web.setting import describe as _setting


class OfficeSettings(LimitSettings, frozen=True, kw_only=True):
    """Who releases what, and how large it may be. (One class builds on the other, since structs have one base.)"""

    four_eyes: Annotated[
        bool,
        _setting(
            "ALLMENDE_FOUR_EYES",
            "Back office",
            "Whether somebody else has to release what one wrote or proposed. Where nobody else may release, one does "
            "so alone, and the audit log says that.",
        ),
    ] = True
    office_file_bytes: Annotated[
        int,
        _setting(
            "ALLMENDE_OFFICE_FILE_BYTES", "Back office", "Largest file, or table, of a draft.", low=1024, high=50 * MIB
        ),
    ] = 16 * MIB
    office_bytes: Annotated[
        int,
        _setting("ALLMENDE_OFFICE_BYTES", "Back office", "All files of drafts and releases together.", low=1024),
    ] = 512 * MIB
