"""The address of the page on catalogues that are taken over."""

from django.urls import path

from allmende.web.harvest import views

app_name = "harvest"

urlpatterns = [path("catalogues/", views.overview, name="overview")]
