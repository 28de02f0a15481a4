"""``/parking/reports/``: the monthly reports, for those who run the car parks."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from allmende.city.house import asks_for, house_of
from allmende.city.parking.now import counted_at
from allmende.city.parking.report import SITES, Month, Report, months_with_readings, read_report
from allmende.city.parking.report_files import as_pdf, as_xlsx, offered
from allmende.city.parking.report_words import lay_out, month_words, show
from allmende.domain.errors import InvalidInput

DEED = "parking.report"
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
    years: dict[int, list[tuple[str, str]]] = {}
    for month in months:
        years.setdefault(month.year, []).append((str(month), month_words(month)))
    return render(request, "parking/reports.html", {"years": years, "formats": offered()})


@require_safe
@asks_for(DEED)
def show_report(request: HttpRequest, month: str) -> HttpResponse:
    """A month as a page."""
    report = _read(request, month)
    house = house_of(request)
    sheet = lay_out(report, house.profile.name, house.profile.time_zone)
    rows = [
        [(show(cell, column.kind, sheet.zone), column.kind) for cell, column in zip(row, sheet.columns, strict=True)]
        for row in sheet.rows
    ]
    values = {"sheet": sheet, "rows": rows, "month": month, "formats": offered()}
    response = render(request, "parking/report.html", values)
    patch_cache_control(response, private=True, max_age=0)
    return response


@require_safe
@asks_for(DEED)
def send_report(request: HttpRequest, month: str, form: str) -> HttpResponse:
    """A month as a file."""
    if form not in offered():
        raise Http404(form)
    report = _read(request, month)
    house = house_of(request)
    kind, make = _TYPES[form]
    sheet = lay_out(report, house.profile.name, house.profile.time_zone)
    response = HttpResponse(make(sheet), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="parking-{report.month}.{form}"'
    patch_cache_control(response, private=True, max_age=0)
    return response


def _read(request: HttpRequest, text: str) -> Report:
    house = house_of(request)
    try:
        month = Month.read(text)
    except InvalidInput:
        raise Http404(text) from None
    most = int(house.settings("parking").get("report_sites", SITES))
    now = house.now()
    report = read_report(
        house.store, house.reader, counted_at(house, now), month, now, zone=house.profile.time_zone, most=most
    )
    if not report.lines:
        raise Http404(text)
    return report
