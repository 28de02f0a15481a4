"""Pages of those who look at a sensor before all others see it."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.errors import Forbidden, InvalidInput
from allmende.web.accounts.roles import asks_for
from allmende.web.citizens import keeping
from allmende.web.citizens.models import BLOCKED, LICENCES, OPEN, RETURNED, WAITING, OwnSensor
from allmende.web.citizens.seeing import courses_of, problems_of, say_place, say_state
from allmende.web.citizens.source import reader_of
from allmende.web.reads.notes import notes

MOST = 200


@require_safe
@asks_for("sensors.review")
def waiting(request: HttpRequest) -> HttpResponse:
    """Those that wait, the oldest first; ``?all`` with the others that somebody still has."""
    found = OwnSensor.objects.filter(user__isnull=False)
    if "all" not in request.GET:
        found = found.filter(state=WAITING)
    listed = [{"it": each, "place": say_place(each), "state": say_state(each)} for each in found[:MOST]]
    return render(request, "citizens/waiting.html", {"listed": listed, "all": "all" in request.GET})


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for("sensors.review")
def look(request: HttpRequest, number: int) -> HttpResponse:
    """All that is to be looked at; by POST it is released, handed back or blocked."""
    sensor = OwnSensor.objects.filter(pk=number, user__isnull=False).first()
    if sensor is None:
        raise Http404(str(number))
    wrong = ""
    if request.method == "POST":
        try:
            keeping.decide(request.user, sensor, request.POST.get("state", ""), request.POST.get("note", ""))  # type: ignore[arg-type]  # guarded
            return HttpResponseRedirect(reverse("citizens:waiting"))
        except Forbidden:
            wrong = "own"
        except InvalidInput:
            wrong = "note"
    reader = reader_of(sensor, request.house.reader.name)  # type: ignore[attr-defined]
    if sensor.state != OPEN and sensor.user_id != request.user.pk:
        notes.note(reader.name, {sensor.id_})
    courses = courses_of(sensor, reader)
    values = {
        "sensor": sensor,
        "state": say_state(sensor)[0],
        "place": say_place(sensor),
        "licence": LICENCES[sensor.licence],
        "courses": courses,
        "doubtful": sum(doubtful for course in courses for _at, _value, doubtful in course.rows),
        "shown": sum(len(course.rows) for course in courses),
        "problems": problems_of(sensor),
        "wrong": wrong,
        "note": request.POST.get("note", ""),
        "choices": {"open": OPEN, "returned": RETURNED, "blocked": BLOCKED},
    }
    return render(request, "citizens/review.html", values, status=422 if wrong else 200)
