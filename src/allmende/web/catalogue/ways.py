"""The ways to a dataset's data. An interface that gives out data adds itself here: to ADDERS what it offers of a
dataset, to SERVICES what it is."""

from collections.abc import Callable

from allmende.domain.catalogue import Adder, Service
from allmende.domain.interfaces import (
    feature_distributions,
    features_service,
    sensorthings_service,
    stream_distributions,
)

ADDERS: list[Adder] = [stream_distributions, feature_distributions]
SERVICES: list[Callable[[str], Service]] = [sensorthings_service, features_service]
"""Each gives its service for the root of the house."""
