"""All sources, in the order of the pages."""

from allmende.web.subscriptions.sources import Reading
from allmende.web.subscriptions.sources.alerts import Alerts
from allmende.web.subscriptions.sources.datasets import Datasets
from allmende.web.subscriptions.sources.features import Features
from allmende.web.subscriptions.sources.stories import Stories

SOURCES: dict[str, Reading] = {source.name: source for source in (Alerts(), Features(), Datasets(), Stories())}
"""By the kind of what they give."""
