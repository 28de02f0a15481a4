"""Addresses of the book of rules."""

from django.urls import path

from allmende.web.rulebook import desk, views

app_name = "rulebook"

urlpatterns = [
    path("", views.rules, name="rules"),
    path("new/", desk.edit, name="new"),
    path("count/", desk.count, name="count"),
    path("<str:rule>/", views.rule, name="rule"),
    path("<str:rule>/value/", views.value, name="value"),
    path("<str:rule>/history/", desk.history, name="history"),
    path("<str:rule>/edit/", desk.edit, name="edit"),
    path("<str:rule>/decide/", desk.decide, name="decide"),
    path("<str:rule>/run/", desk.run, name="run"),
]
