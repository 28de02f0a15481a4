"""All pages of the instruments in all three languages: sound at both widths, in the language that was chosen, and
walked through by the keyboard alone.

What a page does is tried in the tests of each instrument, and light and dark too.
"""

import json
import re
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor
from tests.browser.looking import COLOURS, audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("instruments")]

PAGES = [
    "/explorer/?simulated=1",
    "/explorer/?stream={stream}",
    "/explorer/origin/?stream={stream}",
    "/explorer/analyses/",
    "/explorer/typical-week/?stream={stream}&simulated=1",
    "/explorer/calendar/?stream={stream}&days=5&simulated=1",
    "/explorer/correlation/?stream={stream}&stream={other}&simulated=1",
    "/explorer/before-after/?stream={stream}&date=now&simulated=1",
    "/sql/",
    "/sql/saved/",
]
CITIZENS = [
    "/instruments/",
    "/search/?q=Verkehr",
    "/map/",
    "/map/list/?layer=things:demo-parking",
    "/boards/",
    "{board}",
    "{board}wall/",
    "/stories/",
    "{story}",
    "/alerts/",
    "/subscriptions/",
    "/subscriptions/new/?kind=features",
    "/subscriptions/mine/",
    "/forecasts/",
]
"""Those that are there in simple German."""
TOGETHER = 8
"""Pages that are loaded while another one is looked at."""
ENGLISH = re.compile(r"\b(the|and|of|with|is|are|this|which|from|what|how|not|you|your)\b", re.I)
GERMAN = re.compile(r"\b(und|der|die|das|ist|sind|nicht|mit|für|wird|werden|eine|einen|Sie|Ihre)\b")

_WATCH = """() => {
  const main = document.querySelector('main');
  const shown = each => each.checkVisibility({visibilityProperty: true}) && !each.closest('[inert]');
  const wanted = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  window.stops = {seen: new Set(), dim: [], left: false};
  document.addEventListener('focusin', ({target}) => {
    stops.seen.add(target);
    if (!main.contains(target)) stops.left = true;
    if (target === main || !main.contains(target)) return;
    const lit = each => {
      const style = getComputedStyle(each);
      return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
    };
    const beside = [target.parentElement, target.nextElementSibling, target.closest('.maplibregl-map')];
    const around = [target, ...beside, ...(target.labels ?? [])];
    if (!around.some(each => each && lit(each))) stops.dim.push(target.outerHTML.slice(0, 150));
  });
  stops.wanted = [...main.querySelectorAll(wanted)].filter(each => shown(each) && !each.disabled
    && each.tabIndex >= 0 && each.type !== 'radio');
  main.setAttribute('tabindex', '-1');
  main.focus();
  const parts = main.querySelectorAll('[type=date], [type=time], [type=datetime-local]').length * 7;
  return main.querySelectorAll(wanted).length + parts;
}"""
_MISSED = """() => ({
  missed: stops.wanted.filter(each => !stops.seen.has(each) && each.isConnected && each.checkVisibility())
    .map(each => each.outerHTML.slice(0, 150)),
  left: stops.left, dim: stops.dim,
})"""
_WORDS = """language => {
  const found = [];
  const own = each => {
    const said = each.closest('[lang]')?.lang.split('-')[0] === language;
    return said && !each.closest('code, pre, script, style, textarea, [translate=no], .atlas__credit');
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (own(walk.currentNode.parentElement)) found.push(walk.currentNode.data.trim());
  for (const each of document.querySelectorAll('[aria-label], [placeholder], [title]'))
    if (own(each)) for (const name of ['aria-label', 'placeholder', 'title']) found.push(each.getAttribute(name) ?? '');
  return found.filter(Boolean);
}"""


@pytest.fixture(scope="module")
def here(site: str) -> dict[str, str]:
    """What this house has of what the addresses name."""

    def first(path: str, pattern: str) -> str:
        with urllib.request.urlopen(f"{site}{path}", timeout=30) as answer:
            found = re.search(pattern, answer.read().decode())
        assert found, f"{path} names nothing like {pattern}"
        return found[0]

    with urllib.request.urlopen(f"{site}/sta/v1.1/Datastreams?$top=2&$orderby=id", timeout=30) as answer:
        stream, other = (str(each["@iot.id"]) for each in json.load(answer)["value"])
    board, story = first("/boards/", r"/boards/[a-z-]+heute/"), first("/stories/", r"/stories/parken/")
    return {"stream": stream, "other": other, "board": board, "story": story}


def opened(visitor: Visitor, paths: list[str]) -> Iterator[Page]:
    """Each page once it has come to rest; some are loaded ahead."""
    for place in range(0, len(paths), TOGETHER):
        pages = []
        for path in paths[place : place + TOGETHER]:
            page = visitor.context.new_page()
            page.on("pageerror", lambda error, path=path: visitor.faults.append(f"{path}: {error}"))
            page.goto(visitor.site + path, wait_until="commit")
            pages.append(page)
        for page in pages:
            page.bring_to_front()
            page.wait_for_load_state("networkidle")
            yield page
            page.close()


def walk(page: Page) -> list[str]:
    """What the tabulator does not reach in the page's main part, or does not show, or does not leave again."""
    for _ in range(page.evaluate(_WATCH) + 3):
        page.keyboard.press("Tab")
    found = page.evaluate(_MISSED)
    trap = [] if found["left"] else ["the keyboard does not leave the main part"]
    return [
        *(f"not reached: {each}" for each in found["missed"]),
        *(f"not lit: {each}" for each in found["dim"]),
        *trap,
    ]


@pytest.mark.parametrize("language", ["de", "en", "de-simple"])
def test_each_page_is_sound_in_each_language(visit, here, axe, language):
    """Colours and the keyboard do not depend on the words: they are looked at in German."""
    visitor = visit(width=1280, height=900)
    visitor.context.add_cookies([{"name": "django_language", "value": language, "url": visitor.site}])
    other, code = (GERMAN if language == "en" else ENGLISH), language.split("-")[0]
    paths = CITIZENS if language == "de-simple" else [*CITIZENS, *PAGES]
    without = () if language == "de" else COLOURS
    found: list[str] = []
    for page in opened(visitor, [path.format(**here) for path in paths]):
        said = page.evaluate("document.documentElement.lang")
        faults = [] if said == language else [f"is in {said}"]
        faults += audit(page, axe, without=without)
        if language == "de":
            faults += walk(page)
        page.set_viewport_size({"width": 390, "height": 844})
        page.evaluate("document.activeElement.blur()")  # the link that skips lies over others while it has the focus
        page.emulate_media(color_scheme="dark")
        faults += audit(page, axe, without=without)
        page.set_viewport_size({"width": 320, "height": 640})
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            faults.append("sticks out at 320")
        texts = page.evaluate(_WORDS, code)
        faults += [f"in another language: {text[:120]}" for text in texts if len(other.findall(text)) > 1]
        found += [f"{language} {page.url.removeprefix(visitor.site)}: {fault}" for fault in faults]
    assert found + visitor.faults == []
