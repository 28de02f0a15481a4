"""At which addresses the house speaks MQTT, as a client reaches them."""

from urllib.parse import urlsplit

from allmende.web.config import Config


def endpoints(config: Config, host: str) -> tuple[str, ...]:
    """The addresses; ``host`` is the name by which the client has called, with or without a port."""
    if config.broker_url:
        parts = urlsplit(config.broker_url)
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        return (f"{parts.scheme}://{_bracketed(parts.hostname or 'localhost')}:{port}",)
    name = _bracketed(urlsplit(f"//{host}").hostname or "localhost")
    found = [f"mqtt://{name}:{config.mqtt_port}"] if config.mqtt_port else []
    if config.mqtt_websocket_port:
        found.append(config.mqtt_websocket_url or f"ws://{name}:{config.mqtt_websocket_port}/mqtt")
    return tuple(found)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
