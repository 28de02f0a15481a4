"""Headers that keep browsers from doing what our pages never ask for."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from allmende.web.config import Config

_PERMISSIONS = "camera=(), microphone=(), geolocation=(self), payment=(), usb=(), browsing-topics=()"


class HeadersMiddleware:
    """Content-Security-Policy and Permissions-Policy on every response that has none of its own.

    Live pages reach MQTT by WebSocket under the name in the address bar, so the policy is made for each host.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._policies: dict[str, str] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self._policy(request))
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
        return response

    def _policy(self, request: HttpRequest) -> str:
        try:
            host = request.get_host()
        except DisallowedHost:
            host = ""
        if host not in self._policies:
            if len(self._policies) > 100:  # allowed hosts may be many where `*` allows all
                self._policies.clear()
            self._policies[host] = content_security_policy(settings.ALLMENDE, host)
        return self._policies[host]


def websocket_url(config: Config, host: str, secure: bool) -> str:
    """Where a browser that came to ``host`` (with or without a port) finds MQTT over WebSocket; empty if nowhere."""
    if config.mqtt_websocket_url:
        return config.mqtt_websocket_url
    if not config.embedded_broker or not config.mqtt_websocket_port:
        return ""
    name = urlsplit(f"//{host}").hostname or "localhost"
    name = f"[{name}]" if ":" in name else name
    return f"{'wss' if secure else 'ws'}://{name}:{config.mqtt_websocket_port}/"


def content_security_policy(config: Config, host: str, frames: str = "'none'") -> str:
    """The policy for pages under ``host``: everything from here, nothing inline, MQTT at its own port. ``frames`` says
    which pages may show them in a frame."""
    connect = ["'self'"]
    if host:
        for secure in (False, True):
            address = urlsplit(websocket_url(config, host, secure))
            if address.netloc:
                connect.append(f"{address.scheme}://{address.netloc}")
    images = ["'self'", "data:", "blob:"]
    if config.base_map:
        base = urlsplit(config.base_map)
        origin = f"{base.scheme}://{base.netloc}"
        images.append(origin)
        connect.append(origin)
    rules = {
        "default-src": "'self'",
        "img-src": " ".join(images),
        "style-src": "'self'",
        "script-src": "'self'",
        "worker-src": "'self'",
        "connect-src": " ".join(dict.fromkeys(connect)),
        "font-src": "'self'",
        "object-src": "'none'",
        "frame-ancestors": frames,
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
