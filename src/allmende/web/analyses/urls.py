"""Addresses of analyses, beneath the explorer's."""

from django.urls import path

from allmende.web.analyses import before_after, calendar, correlation, start, week

app_name = "analyses"

urlpatterns = [
    path("analyses/", start.start, name="start"),
    path("typical-week/", week.typical_week, name="week"),
    path("calendar/", calendar.heat_map, name="calendar"),
    path("correlation/", correlation.correlation, name="correlation"),
    path("before-after/", before_after.before_after, name="before-after"),
]
