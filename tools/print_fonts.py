"""The pages' typeface as TrueType files, for documents that are made here: Typst reads no WOFF.

A WOFF file is the tables of a TrueType file, each deflated by itself (W3C, WOFF File Format 1.0, chapters 3 to 5).
"""

import struct
import zlib
from pathlib import Path

WEIGHTS = (400, 600)
_HEAD = struct.Struct(">4s4sIHHIHHIIIII")
_ENTRY = struct.Struct(">4sIIII")


def unpack(woff: bytes) -> bytes:
    """The TrueType (or OpenType) file in a WOFF file. Raises ValueError for what is none."""
    signature, flavour, _length, count, *_ = _HEAD.unpack_from(woff)
    if signature != b"wOFF":
        raise ValueError("is no WOFF file")
    entries = [_ENTRY.unpack_from(woff, _HEAD.size + number * _ENTRY.size) for number in range(count)]
    power = 1 << (count.bit_length() - 1)
    head = struct.pack(">4sHHHH", flavour, count, power * 16, power.bit_length() - 1, (count - power) * 16)
    at = len(head) + 16 * count
    directory, tables = b"", b""
    for tag, offset, packed, length, checksum in sorted(entries):
        body = woff[offset : offset + packed]
        table = body if packed == length else zlib.decompress(body)
        if len(table) != length:
            raise ValueError(f"table {tag!r} has another length than it says")
        directory += struct.pack(">4sIII", tag, checksum, at + len(tables), length)
        tables += table + b"\0" * (-length % 4)
    return head + directory + tables


def write_print_fonts(packages: Path, target: Path) -> None:
    """Put them into a folder, Latin letters alone; the licence (OFL) lies with the pages' own."""
    target.mkdir(parents=True, exist_ok=True)
    for weight in WEIGHTS:
        name = f"fira-sans-latin-{weight}-normal"
        source = packages / "@fontsource" / "fira-sans" / "files" / f"{name}.woff"
        (target / f"{name}.ttf").write_bytes(unpack(source.read_bytes()))
