"""The worker: asks sources for data, listens to a broker, publishes, tidies up. One at a time, by a lease."""

from allmende.web.config import Config


def work(config: Config) -> None:
    """Work until SIGINT or SIGTERM; Django's apps are loaded."""
    from allmende.web.worker.run import run_worker

    run_worker(config)
