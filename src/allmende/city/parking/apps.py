"""Parking as a Django app."""

from datetime import time, timedelta
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from allmende.city.glance import Glance
from allmende.city.house import House
from allmende.city.jobs import Job
from allmende.city.parking.questions import QUESTIONS


def values(request: HttpRequest) -> dict[str, Any]:
    """Values for the home page; imported late because views need the loaded apps."""
    from allmende.city.parking.views import board_context

    return board_context(request)


def decide_signs(house: House) -> None:
    """The job of the signs; imported late because it needs the loaded apps."""
    from allmende.city.parking.signs.keeping import run

    run(house)


def watch(house: House) -> None:
    """The job of plausibility; imported late, as all that has models."""
    from allmende.city.parking.operating.watching import watch as look

    look(house)


def calibrate(house: House) -> None:
    """The job of calibration, when the night has passed."""
    from allmende.city.parking.operating.watching import calibrate as look
    from allmende.city.parking.pricing.keeping import forget_names

    look(house)
    forget_names(house.now())


def publish(house: House) -> None:
    """The job, imported late, too."""
    from allmende.city.parking import publish

    publish.publish(house)


def close_months(house: House) -> None:
    """The job of reports, imported late, too."""
    from allmende.city.parking import report_kept

    report_kept.close_months(house)


def tell(house: House) -> None:
    """What is told of each site, as readings."""
    from allmende.city.parking.telling import tell as say

    say(house)


class ParkingConfig(AppConfig):
    """Live free spaces of the city's car parks."""

    name = "allmende.city.parking"
    label = "parking"
    verbose_name = _("Parking")
    glance = Glance(
        summary=_("See how many spaces are free in the car parks right now."),
        template="parking/_glance.html",
        values=values,
    )
    questions = QUESTIONS
    jobs = (
        Job("plausibility", timedelta(minutes=1), watch),
        Job("told", timedelta(minutes=1), tell),
        Job("calibration", time(5, 30), calibrate),
        Job("publish", timedelta(minutes=5), publish),
        Job("reports", time(4, 45), close_months),
        Job("signs", timedelta(seconds=15), decide_signs),
    )

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.city.parking.operating import holdings
        from allmende.city.parking.pricing import holdings as of_tariffs

        holdings.register_all()
        of_tariffs.register_all()
