"""Stories of a profile: what is wrong in them is named by file and key."""

import pytest

from allmende.domain.profile_checks import ProfileError
from allmende.domain.stories import parse_stories

GOOD = b'+++\ntitle = "Trees"\ndate = "2026-11-22"\n+++\n\n# A\n\n+++\nb\n'
LANGUAGES = ["de", "en"]


def parse(**files: bytes) -> dict:
    return parse_stories({f"stories/{name.replace('_', '.')}.md": body for name, body in files.items()}, LANGUAGES)


def test_a_story_is_one_in_all_its_languages():
    found = parse(
        trees_de=GOOD, trees_en=GOOD, old_de=GOOD.replace(b"2026", b"2025"), old_en=GOOD.replace(b"2026", b"2025")
    )
    assert list(found) == ["trees", "old"]
    assert found["trees"].content.texts["de"].body == "# A\n\n+++\nb"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"trees": GOOD}, "stories/trees.md"),
        ({"trees_de": GOOD}, "stories/trees.en.md"),
        ({"Trees_de": GOOD}, "stories/Trees.de.md"),
        ({"trees_de": b"no head"}, "stories/trees.de.md"),
        ({"trees_de": b"\xff"}, "stories/trees.de.md"),
        ({"trees_de": GOOD.replace(b'title = "Trees"', b"title")}, "stories/trees.de.md"),
        ({"trees_de": GOOD.replace(b"Trees", b" ")}, "stories/trees.de.md: title"),
        ({"trees_de": GOOD.replace(b"2026-11-22", b"today")}, "stories/trees.de.md: date"),
        ({"trees_de": GOOD, "trees_en": GOOD.replace(b"-22", b"-21")}, "stories/trees.en.md: date"),
    ],
)
def test_what_is_wrong_is_named(files, place):
    with pytest.raises(ProfileError) as error:
        parse(**files)
    assert error.value.place == place
