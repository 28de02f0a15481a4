"""Addresses of the operators' pages, under ``operate/``."""

from django.urls import path

from allmende.city.parking.operating import views

urlpatterns = [
    path("", views.show_board, name="operate"),
    path("board", views.show_fragment, name="operate-fragment"),
    path("events/", views.events, name="operate-events"),
    path("events/<int:pk>/end", views.end_event, name="operate-end-event"),
    path("site/<str:site>/", views.show_site, name="operate-site"),
    path("site/<str:site>/add/<str:kind>", views.decide, name="operate-decide"),
    path("site/<str:site>/calibration/<int:pk>", views.settle, name="operate-settle"),
    path("site/<str:site>/<str:kind>/<int:pk>/end", views.end, name="operate-end"),
]
