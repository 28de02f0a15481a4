"""Boards of a profile: what is wrong in them is named by file and key."""

import pytest

from allmende.domain.boards import check_boards, parse_boards
from allmende.domain.profile_checks import ProfileError

GOOD = b"""
[boards.today]
title = { de = "Heute", en = "Today" }
description = "x"
[[boards.today.tiles]]
kind = "value"
title = "T"
width = 2
streams = ["a~b"]
"""


def parse(body: bytes, **more: bytes) -> object:
    boards = parse_boards({"boards/a.toml": body, **{f"boards/{name}.toml": text for name, text in more.items()}})
    check_boards(boards, ["de", "en"])
    return boards


def test_what_is_none_of_a_tiles_own_keys_is_its_kinds():
    (tile,) = parse(GOOD)["today"].content.tiles
    assert (tile.id, tile.kind, tile.width, tile.settings) == ("t0", "value", 2, {"streams": ["a~b"]})


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        (b"kind", b"=", "boards/a.toml"),
        (b'kind = "value"', b"", "boards/a.toml: boards.today.tiles[0].kind"),
        (b"width = 2", b"width = 4", "boards/a.toml: boards.today.tiles[0].width"),
        (b"width = 2", b'width = "2"', "boards/a.toml: boards.today.tiles[0].width"),
        (b"width = 2", b'id = "x"', "boards/a.toml: boards.today.tiles[0]"),
        (b'description = "x"', b'descripton = "x"', "boards/a.toml: boards.today.descripton"),
        (b', en = "Today"', b"", "boards/a.toml: boards.today.title.en"),
        (b'title = "T"', b"", "boards/a.toml: boards.today.tiles[0].title.de"),
        (b"[boards.today]", b"[board.today]", "boards/a.toml: boards.today.title"),
    ],
)
def test_what_is_wrong_is_named(before, after, place):
    with pytest.raises(ProfileError) as error:
        parse(GOOD.replace(before, after, 1))
    assert error.value.place == place


def test_a_board_is_there_once():
    with pytest.raises(ProfileError, match="is there twice"):
        parse(GOOD, b=GOOD)
