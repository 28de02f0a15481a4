"""Addresses of stories."""

from django.urls import path

from allmende.web.stories import desk, views

app_name = "stories"

urlpatterns = [
    path("", views.listing, name="list"),
    path("feed.xml", views.feed, name="feed"),
    path("new/", desk.new, name="new"),
    path("desk/", desk.listing, name="desk"),
    path("pictures/<slug:key>.webp", views.picture, name="picture"),
    path("<slug:name>/pictures/", desk.pictures, name="pictures"),
    path("<slug:name>/", views.show, name="story"),
    path("<slug:name>/edit/", desk.edit, name="edit"),
    path("<slug:name>/publish/", desk.publish, name="publish"),
    path("<slug:name>/versions/<int:number>/", desk.version, name="version"),
    path("<slug:name>/delete/", desk.delete, name="delete"),
]
