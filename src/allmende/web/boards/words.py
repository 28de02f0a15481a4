"""Texts that people and profiles write: in the reader's language, and as HTML that can do no harm."""

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from markdown_it import MarkdownIt

from allmende.domain.boards import Words


def say(words: Words) -> str:
    """A text in the active language, else in German, else in the first there is."""
    if isinstance(words, str):
        return words
    language = get_language() or "de"
    for each in (language, language.split("-")[0], "de"):
        if words.get(each):
            return words[each]
    return next(iter(words.values()), "")


def reader(*, images: bool = False) -> MarkdownIt:
    """CommonMark with tables. HTML in it is text; addresses that are scripts are no links; pictures of other hosts are
    none either, since the house's pages ask no foreign host."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    return made if images else made.disable("image")


_READER = reader()


def markdown(text: str, *, below: int = 2) -> SafeString:
    """A text as HTML; its highest heading is one level ``below`` that of the heading over it."""
    tokens = _READER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + below)}"
    return mark_safe(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S308  html is off: all is escaped
