"""Where a request comes from, as far as it is known; never written down."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The client's address. Behind ``ALLMENDE_PROXIES`` proxies, the one that the outermost of them saw: what stands
    before it in ``X-Forwarded-For`` may be made up."""
    address = str(request.META.get("REMOTE_ADDR", "")) or "127.0.0.1"
    proxies = settings.ALLMENDE.proxies
    if proxies:
        seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        if len(seen) >= proxies:
            return _plain(seen[-proxies], address)
    return _plain(address, address)


def prefix_of(address: str) -> str:
    """What counts as one client: an address of IPv4, a /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((parsed, 64), strict=False).network_address)
    return str(parsed)


def _plain(text: str, other: str) -> str:
    """Without a port; ``other`` where it is no address."""
    if text.startswith("[") and "]" in text:
        text = text[1 : text.index("]")]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return other
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def browser_of(request: HttpRequest) -> str:
    """Kind of browser and system in two words, from what it says of itself."""
    said = request.META.get("HTTP_USER_AGENT", "")
    browsers = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"))
    more = (("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
    kind = next((name for sign, name in (*browsers, ("Safari/", "Safari")) if sign in said), "Browser")
    system = next((name for sign, name in (*systems, *more) if sign in said), "")
    return f"{kind}, {system}" if system else kind
