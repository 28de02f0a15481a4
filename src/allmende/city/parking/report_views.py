"""``/parking/reports/``: the monthly reports, for those who run the car parks."""

from datetime import datetime

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST, require_safe

from allmende.city.house import asks_for, house_of
from allmende.city.parking import report_kept
from allmende.city.parking.now import counted_at
from allmende.city.parking.report import Month, Report, months_with_readings
from allmende.city.parking.report_files import as_pdf, as_xlsx, offered
from allmende.city.parking.report_models import KeptReport
from allmende.city.parking.report_words import lay_out, month_words, show
from allmende.domain.errors import Conflict, InvalidInput

DEED, CLOSE = "parking.report", "parking.arrange"
_SAID = (gettext_noop("somebody else has closed this month in the meantime"),)
_TYPES = {
    "pdf": ("application/pdf", as_pdf),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
}


@require_safe
@asks_for(DEED)
def list_reports(request: HttpRequest) -> HttpResponse:
    """The months with readings, the newest first."""
    house = house_of(request)
    now = house.now()
    months = months_with_readings(counted_at(house, now), house.profile.time_zone, now)
    closed = dict(KeptReport.objects.order_by("edition").values_list("month", "made"))
    known = sorted({*months, *(Month.read(each) for each in closed)}, reverse=True)  # also where readings are gone
    years: dict[int, list[tuple[str, str, datetime | None]]] = {}
    for month in known:
        years.setdefault(month.year, []).append((str(month), month_words(month), closed.get(str(month))))
    return render(request, "parking/reports.html", {"years": years, "formats": offered()})


@require_safe
@asks_for(DEED)
def show_report(request: HttpRequest, month: str) -> HttpResponse:
    """A month as a page: the newest edition of one that is closed, another with ``edition``, or as it is ``now``."""
    report = _read(request, month)
    house = house_of(request)
    sheet = lay_out(report, house.profile.name, house.profile.time_zone)
    rows = [
        [(show(cell, column.kind, sheet.zone), column.kind) for cell, column in zip(row, sheet.columns, strict=True)]
        for row in sheet.rows
    ]
    values = {
        "sheet": sheet, "rows": rows, "month": month, "formats": offered(), "report": report,
        "query": f"?edition={report.edition or 'now'}", "closes": not report.running and house.may(CLOSE),
        "editions": report_kept.editions(report.month),
    }  # fmt: skip
    return _private(render(request, "parking/report.html", values))


@require_POST
@asks_for(CLOSE)
def close_report(request: HttpRequest, month: str) -> HttpResponse:
    """Keep a month that is over as it comes out now: the next edition."""
    house, found = house_of(request), _month(month)
    report = report_kept.made_now(house, found)
    if report.running or not report.lines:
        raise Http404(month)
    try:
        with transaction.atomic():
            kept = report_kept.keep(report)
            house.note("parking.close-report", f"parking:report:{found}", edition=kept.edition)
    except Conflict as error:
        messages.error(request, _(error.template))
    else:
        messages.success(request, _("The month is closed. This edition stays as it is."))
    return HttpResponseRedirect(reverse("parking:report", args=[month]))


@require_safe
@asks_for(DEED)
def send_report(request: HttpRequest, month: str, form: str) -> HttpResponse:
    """A month as a file; ``edition`` as for the page."""
    if form not in offered():
        raise Http404(form)
    report = _read(request, month)
    house = house_of(request)
    kind, make = _TYPES[form]
    sheet = lay_out(report, house.profile.name, house.profile.time_zone)
    response = HttpResponse(make(sheet), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="parking-{report.month}.{form}"'
    return _private(response)


def _read(request: HttpRequest, text: str) -> Report:
    house, month = house_of(request), _month(text)
    wanted = request.GET.get("edition", "")
    if wanted != "now":
        editions = KeptReport.objects.filter(month=str(month))
        if wanted:
            editions = editions.filter(edition=int(wanted) if wanted.isdecimal() and len(wanted) < 6 else -1)
        kept = editions.first()
        if kept is not None:
            return report_kept.read_kept(kept, {each.site.id for each in counted_at(house, house.now())})
        if wanted:
            raise Http404(wanted)
    report = report_kept.made_now(house, month)
    if not report.lines:
        raise Http404(text)
    return report


def _month(text: str) -> Month:
    try:
        return Month.read(text)
    except InvalidInput:
        raise Http404(text) from None


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, max_age=0)
    return response
