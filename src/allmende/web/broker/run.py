"""The broker's process."""

import asyncio
import signal
import threading
from collections.abc import Callable

from allmende.web.broker.broker import Broker, Rules
from allmende.web.config import Config

MakeNotifier = Callable[[Broker, asyncio.AbstractEventLoop, threading.Event], threading.Thread]
"""Gives the thread that tells the broker what was committed, until the event is set."""
_STOP_SECONDS = 3.0


def run_broker(config: Config, rules: Rules, make_notifier: MakeNotifier) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigurationError where a port is taken."""
    asyncio.run(_serve(config, rules, make_notifier))


async def _serve(config: Config, rules: Rules, make_notifier: MakeNotifier) -> None:
    stop, over = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    broker = Broker(config, rules)
    notifier = make_notifier(broker, loop, over)
    try:
        await broker.start()
        notifier.start()
        await stop.wait()
    finally:
        over.set()
        await broker.stop()
        if notifier.is_alive():
            await asyncio.to_thread(notifier.join, _STOP_SECONDS)
