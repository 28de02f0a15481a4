"""The files of a folder by their names, for profiles and what services bring to them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from allmende.domain.profile_checks import ProfileError

_MAX_BYTES = 50_000_000


class Folder(Mapping[str, bytes]):
    """The files of one folder by name, read when asked for. Those of folders in it are named with their folder
    (``rules/NAME``), one deep; of these only the ones of ``listed`` are in the list. Never leads out of the folder."""

    def __init__(self, folder: Path, listed: tuple[str, ...] = ()) -> None:
        """``listed`` are names of folders with their slash."""
        self._folder = folder
        self._listed = listed

    def __getitem__(self, name: str) -> bytes:
        path = self._folder / name
        inner = name.partition("/")[2] if not name.startswith((".", "/")) and "/" in name else name
        if Path(inner).name != inner or not path.is_file():
            raise KeyError(name)
        if path.stat().st_size > _MAX_BYTES:
            raise ProfileError(name, f"is larger than {_MAX_BYTES // 1_000_000} MB, which no profile needs")
        return path.read_bytes()

    def __iter__(self) -> Iterator[str]:
        for folder, prefix in ((self._folder, ""), *((self._folder / name, name) for name in self._listed)):
            if folder.is_dir():
                yield from (f"{prefix}{path.name}" for path in sorted(folder.iterdir()) if path.is_file())

    def __len__(self) -> int:
        return sum(1 for _ in self)
