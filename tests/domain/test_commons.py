"""What services bring lies beneath what the city says itself."""

import pytest
from tests.domain.test_profile import DATA, FILES

from allmende.domain.commons import Commons
from allmende.domain.plain import Change, PlainProfile, plain_profile
from allmende.domain.profile_checks import ProfileError

TABLES = b"""
[organisations.bench-club]
name = "Bench Club"

[datasets.benches]
title = { de = "B\xc3\xa4nke in ${city}", en = "Benches in ${city}" }
description = { de = "Wo man sitzt", en = "Where to sit" }
publisher = "${publisher}"
licence = "CC0-1.0"
attribution = "${publisher}"
"""
BOARD = """
[boards.benches]
title = { de = "Bänke", en = "Benches" }
description = { de = "Alle", en = "All" }
[[boards.benches.tiles]]
kind = "table"
title = { de = "Frei", en = "Free" }
datasets = ${datasets}
"""
STORY = '+++\ntitle = "{0}"\ndate = "2026-11-22"\n+++\n\n# ${{city}}\n'


def benches(**files: bytes | str) -> Commons:
    said = {"profile.toml": TABLES, **{name.replace("__", "/"): body for name, body in files.items()}}
    plain = {name: body.encode() if isinstance(body, str) else body for name, body in said.items()}
    return Commons(service="benches", files=plain, settings={"datasets": ["benches"]})


def laid(*commons: Commons, data: dict | None = None, **files: str) -> PlainProfile:
    own = {name.replace("__", "/"): body.encode() for name, body in files.items()}
    return plain_profile(data or DATA, {**FILES, **own}, commons)


def test_tables_boards_and_stories_are_taken_as_if_the_city_had_them():
    brought = benches(
        **{
            "boards__b.toml": BOARD,
            "stories__sit.de.md": STORY.format("Sitzen"),
            "stories__sit.en.md": STORY.format("S"),
        }
    )
    profile = laid(brought).parse()
    assert profile.datasets["benches"].title["de"] == "Bänke in Town"
    assert profile.datasets["benches"].publisher == "Town"
    assert profile.boards["benches"].content.tiles[0].settings == {"datasets": ["benches"]}
    assert profile.boards["benches"].file == "services/benches/boards/b.toml"
    assert profile.stories["sit"].content.texts["de"].body == "# Town"
    assert list(profile.datasets) == ["parking", "benches"]


def test_what_the_city_says_goes_before():
    own = {"title": {"de": "Eigen", "en": "Own"}, "description": {"de": "-", "en": "-"}, "publisher": "Me",
           "licence": "CC0-1.0", "attribution": "Me"}  # fmt: skip
    data = {
        **DATA,
        "datasets": {**DATA["datasets"], "benches": own},
        "services": {"benches": {"datasets": ["parking"]}},
    }
    brought = benches(
        **{
            "boards__b.toml": BOARD,
            "stories__sit.de.md": STORY.format("Sitzen"),
            "stories__sit.en.md": STORY.format("S"),
        }
    )
    city = laid(brought, data=data).parse()
    assert city.datasets["benches"].publisher == "Me"
    assert city.boards["benches"].content.tiles[0].settings == {"datasets": ["parking"]}
    files = {"boards__own.toml": BOARD.replace("Bänke", "Anders").replace("${datasets}", '["parking"]')}
    for language in ("de", "en"):
        files[f"stories__sit.{language}.md"] = STORY.format("Eigene")
    city = laid(brought, **files).parse()
    assert city.boards["benches"].content.title == {"de": "Anders", "en": "Benches"}
    assert {text.title for text in city.stories["sit"].content.texts.values()} == {"Eigene"}


def test_what_is_released_goes_before_both_and_origins_stay():
    said = laid(benches())
    body = {**said.bodies("dataset")["benches"], "publisher": "Office"}
    over = said.under([Change("dataset", "benches", body)])
    assert over.parse().datasets["benches"].publisher == "Office"
    assert over.origins == {
        "organisations.bench-club": "services/benches/profile.toml",
        "datasets.benches": "services/benches/profile.toml",
    }


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"profile.toml": TABLES.replace(b'en = "Benches in', b'fr = "Benches in')},
         "services/benches/profile.toml: datasets.benches.title.en"),
        ({"profile.toml": b"[datasets"}, "services/benches/profile.toml"),
        ({"profile.toml": b"[retention.all]\nstream = '*'"}, "services/benches/profile.toml: retention"),
        ({"profile.toml": b"name = '${unheard}'"}, "services/benches/profile.toml"),
        ({"boards__b.toml": BOARD.replace("Alle", " ")},
         "services/benches/boards/b.toml: boards.benches.description.de"),
        ({"stories__sit.de.md": STORY.format("Sitzen")}, "services/benches/stories/sit.en.md"),
        ({"stories__sit.de.md": b"\xff"}, "services/benches/stories/sit.de.md"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_the_service_s_file(files, place):
    with pytest.raises(ProfileError) as error:
        laid(benches(**files)).parse()
    assert error.value.place == place


def test_an_error_of_the_city_s_own_names_no_service():
    data = {**DATA, "datasets": {"parking": {**DATA["datasets"]["parking"], "licence": 7}}}
    with pytest.raises(ProfileError) as error:
        laid(benches(), data=data).parse()
    assert error.value.place == "datasets.parking.licence"


def test_a_table_of_values_lies_beside_the_service_s_tables():
    source = b'\n[sources.benches]\nconnector = "csv"\ntitle = { de = "B", en = "B" }\nenabled = false\n'
    source += b'dataset = "benches"\nsettings = { table = "seats.csv" }\n'
    brought = benches(**{"profile.toml": TABLES + source, "seats.csv": "a,b\n"})
    assert laid(brought).parse().sources["benches"].tables == {"seats.csv": b"a,b\n"}
    assert laid(brought, **{"seats.csv": "own\n"}).parse().sources["benches"].tables == {"seats.csv": b"own\n"}
