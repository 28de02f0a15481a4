"""What dashboards and stories of a profile, and of the services that it switches on, lead to is there."""

import re

import pytest
from django.urls import resolve

from allmende.domain.errors import ConfigurationError
from allmende.web.profiles import load_profile

_LINK = re.compile(r"\]\((/[^)\s]*)\)")


@pytest.mark.parametrize("city", ["jena", "example"])
def test_every_link_leads_somewhere(city: str) -> None:
    try:
        profile = load_profile(city)
    except ConfigurationError as missing:
        pytest.skip(str(missing))
    said = [text.body for story in profile.stories.values() for text in story.content.texts.values()]
    for board in profile.boards.values():
        for tile in board.content.tiles:
            said += [
                str(tile.settings.get("text", "")),
                f"]({address})" if (address := tile.settings.get("address")) else "",
            ]
    links = {link.partition("?")[0].partition("#")[0] for text in said for link in _LINK.findall(text)}
    assert links
    for link in links:
        found = resolve(link)
        if found.view_name == "catalogue:dataset":
            assert found.kwargs["name"] in profile.datasets, link
