"""What the worker and the commands share of the city's rules."""

from allmende.domain.policy import house_reader
from allmende.knowledge.evaluate import Limits
from allmende.web.config import Config

RULES = house_reader("rules")
"""Rules read what they declare: whose author may write the profile may read all of it. Who may see what they give is
decided by its dataset."""


def limits_of(config: Config) -> Limits:
    """The operator's bounds of one evaluation."""
    return Limits(readings=config.rule_readings, steps=config.rule_steps)
