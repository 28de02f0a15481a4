"""Addresses of the tariffs that are entered here, under ``operate/tariffs/``."""

from django.urls import path

from allmende.city.parking.pricing import views

urlpatterns = [
    path("", views.list_entered, name="operate-tariffs"),
    path("new", views.write, name="operate-new-tariff"),
    path("<int:pk>/", views.write, name="operate-tariff"),
    path("<int:pk>/<str:step>", views.step, name="operate-tariff-step"),
]
