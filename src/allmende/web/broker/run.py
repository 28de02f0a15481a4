"""The broker's process."""

import asyncio
import signal

from allmende.web.broker.broker import Broker, Rules
from allmende.web.config import Config


def run_broker(config: Config, rules: Rules) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigurationError where a port is taken."""
    asyncio.run(_serve(config, rules))


async def _serve(config: Config, rules: Rules) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    broker = Broker(config, rules)
    try:
        await broker.start()
        await stop.wait()
    finally:
        await broker.stop()
