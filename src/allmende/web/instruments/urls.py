"""The address of the overview."""

from django.urls import path

from allmende.web.instruments import views

app_name = "instruments"

urlpatterns = [path("", views.overview, name="overview")]
