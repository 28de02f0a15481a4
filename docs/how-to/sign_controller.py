"""A sign's controller, as small as it can be: hears by MQTT, asks by HTTP, shows, reports.

    python sign_controller.py https://city.example mast-1-a TOKEN city.example 1883

What stands in the street when the line is cut is decided here, not in the house: `Sign.rows` shows what it was told
until its end, and the fall-back from then on. The tests of Allmende run this file against a real broker.
"""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import paho.mqtt.client as mqtt


class Sign:
    """What a display has to show. Before anything was heard it is dark."""

    def __init__(self) -> None:
        self.pages: list[list[str]] = [[]]
        self.fallback: list[list[str]] = [[]]
        self.until = datetime.min.replace(tzinfo=UTC)

    def hear(self, told: dict[str, Any]) -> None:
        """A telling: the result of a reading of `parking-sign-ID~shown`, or the feed. An older one changes nothing."""
        until = datetime.fromisoformat(told["validUntil"])
        if until < self.until:
            return
        self.pages = [_rows(page) for page in told["pages"]]
        self.fallback = [_rows(page) for page in _pages(told["fallback"])]
        self.until = until

    def rows(self, now: datetime, seconds: int = 4) -> list[str]:
        """The page to show now; several take turns."""
        pages = self.pages if now < self.until else self.fallback
        return pages[int(now.timestamp()) // seconds % len(pages)]


def _pages(said: Any) -> list[Any]:
    """MQTT tells a list of pages; the feed an object that holds them."""
    return said["pages"] if isinstance(said, dict) else said


def _rows(page: Any) -> list[str]:
    return page["rows"] if isinstance(page, dict) else page


def subscribe(sign: Sign, name: str, host: str, port: int) -> mqtt.Client:
    """Hear each telling at once; the newest comes when we subscribe, where the house retains (ALLMENDE_MQTT_RETAIN)."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    topic = f"v1.1/Datastreams('parking-sign-{name}~shown')/Observations"
    client.on_connect = lambda *_: client.subscribe(topic, qos=1)
    client.on_message = lambda _client, _data, message: sign.hear(json.loads(message.payload)["result"])
    client.connect(host, port)
    client.loop_start()
    return client


def ask(sign: Sign, house: str, name: str, token: str, tag: str) -> str:
    """Ask the feed; gives its ETag. 304 says that everything holds."""
    headers = {"X-Sign-Token": token, "If-None-Match": tag}
    answer = httpx.get(f"{house}/parking/signs/{name}/feed", headers=headers)
    if answer.status_code == 304:
        return tag
    sign.hear(answer.raise_for_status().json())
    return answer.headers["ETag"]


def report(house: str, name: str, token: str, rows: list[str]) -> None:
    """Say what is really on the display: read it back from its driver where that can be."""
    said = {"rows": rows, "faults": []}
    httpx.post(f"{house}/parking/signs/{name}/report", json=said, headers={"X-Sign-Token": token}).raise_for_status()


def main(house: str, name: str, token: str, host: str, port: str) -> None:
    sign, tag, asked = Sign(), "", 0.0
    subscribe(sign, name, host, int(port))
    while True:
        rows = sign.rows(datetime.now(UTC))
        print(" / ".join(rows))
        if time.monotonic() - asked > 30:
            asked = time.monotonic()
            try:
                tag = ask(sign, house, name, token, tag)
                report(house, name, token, rows)
            except httpx.HTTPError as error:  # the line is cut: what was told holds until its end
                print(error, file=sys.stderr)
        time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:6])
