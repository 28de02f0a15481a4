"""Addresses of alerts: public ones, and those of the back office."""

from django.urls import path

from allmende.web.alerts import desk, feeds, views

app_name = "alerts"

urlpatterns = [
    path("alerts/", views.listing, name="list"),
    path("alerts/cap/", feeds.index, name="cap-index"),
    path("alerts/cap/<str:name>.xml", feeds.message, name="cap"),
    path("alerts/acknowledge/<str:token>/", views.by_link, name="by-link"),
    path("alerts/<str:name>/", views.alert, name="alert"),
    path("office/alerts/", desk.desk, name="desk"),
    path("office/alerts/deliveries/", desk.deliveries, name="deliveries"),
    path("office/alerts/silence/", desk.silence, name="silence"),
    path("office/alerts/silences/<int:number>/end/", desk.end_silence, name="end-silence"),
    path("office/alerts/past/<str:key>/", desk.past, name="past"),
    path("office/alerts/<str:name>/acknowledge/", desk.acknowledge_here, name="acknowledge"),
]
