"""The address of the search."""

from django.urls import path

from allmende.web.finding import views

app_name = "finding"

urlpatterns = [path("", views.find, name="find")]
