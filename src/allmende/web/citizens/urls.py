"""Addresses of own sensors."""

from django.urls import path

from allmende.web.citizens import reviewing, views

app_name = "citizens"

urlpatterns = [
    path("", views.listing, name="list"),
    path("map.json", views.map_json, name="map"),
    path("mine/", views.mine, name="mine"),
    path("new/", views.register, name="new"),
    path("review/", reviewing.waiting, name="waiting"),
    path("review/<int:number>/", reviewing.look, name="review"),
    path("<int:number>", views.door, name="door"),
    path("<int:number>/", views.show, name="sensor"),
    path("<int:number>/words/", views.words, name="words"),
    path("<int:number>/place/", views.place, name="place"),
    path("<int:number>/token/", views.token, name="token"),
    path("<int:number>/pause/", views.pause, name="pause"),
    path("<int:number>/delete/", views.delete, name="delete"),
]
