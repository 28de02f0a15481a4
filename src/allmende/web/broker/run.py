"""The broker's process."""

import asyncio
import signal
import threading
from collections.abc import Callable, Sequence

from allmende.web.broker.broker import Broker, Rules
from allmende.web.config import Config

MakeTellers = Callable[[Broker, asyncio.AbstractEventLoop, threading.Event], Sequence[threading.Thread]]
"""Gives the threads that tell the broker what was committed, until the event is set."""
_STOP_SECONDS = 3.0


def run_broker(config: Config, rules: Rules, make_tellers: MakeTellers) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigurationError where a port is taken."""
    asyncio.run(_serve(config, rules, make_tellers))


async def _serve(config: Config, rules: Rules, make_tellers: MakeTellers) -> None:
    stop, over = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    broker = Broker(config, rules)
    tellers = make_tellers(broker, loop, over)
    try:
        await broker.start()
        for teller in tellers:
            teller.start()
        await stop.wait()
    finally:
        over.set()
        await broker.stop()
        for teller in tellers:
            if teller.is_alive():
                await asyncio.to_thread(teller.join, _STOP_SECONDS)
