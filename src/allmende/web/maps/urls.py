"""Addresses of the map. Options say what is shown, the same at all of them: see asked.py."""

from django.urls import path

from allmende.web.maps import answers, views

app_name = "maps"

urlpatterns = [
    path("", views.show_map, name="map"),
    path("list/", views.show_list, name="list"),
    path("embed/", views.show_frame, name="embed"),
    path("thing/", views.show_thing, name="thing"),
    path("district/", views.show_district, name="district"),
    path("things.json", answers.send_things, name="things"),
    path("values.json", answers.send_values, name="values"),
    path("suggest.json", answers.send_suggestions, name="suggest"),
]
