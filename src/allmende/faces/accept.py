"""The header Accept, for every face that answers in more than one form."""


def ranges(header: str) -> list[tuple[str, float]]:
    """Media ranges with their weights, in the order of the header; the first 50 (RFC 9110, 12.5.1)."""
    found = []
    for part in header.split(",")[:50]:
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if media:
            found.append((media, weight))
    return found


def prefers_html(header: str) -> bool:
    """Whether a page is liked better than JSON: where both are liked alike, what stands first is. Browsers name HTML,
    and programs that take anything do not."""
    html = json = (0.0, 0)
    for place, (media, weight) in enumerate(ranges(header)):
        if media in ("text/html", "application/xhtml+xml", "text/*"):
            html = max(html, (weight, -place))
        elif media in ("*/*", "application/*") or media.endswith("json"):
            json = max(json, (weight, -place))
    return html[0] > 0 and html > json
