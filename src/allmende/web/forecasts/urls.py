"""Addresses of forecasts."""

from django.urls import path

from allmende.web.forecasts import views

app_name = "forecasts"

urlpatterns = [
    path("", views.start, name="start"),
    path("<slug:forecast>/", views.forecast, name="forecast"),
]
