"""Addresses of dashboards."""

from django.urls import path

from allmende.web.boards import composing, releasing, views, wall

app_name = "boards"

urlpatterns = [
    path("", views.listing, name="list"),
    path("new/", composing.new, name="new"),
    path("<slug:name>/", views.show, name="board"),
    path("<slug:name>/fresh/", views.fresh, name="fresh"),
    path("<slug:name>/wall/", wall.wall, name="wall"),
    path("<slug:name>/embed/", wall.embed, name="embed"),
    path("<slug:name>/copy/", composing.copy, name="copy"),
    path("<slug:name>/compose/", composing.compose, name="compose"),
    path("<slug:name>/compose/words/", composing.words, name="words"),
    path("<slug:name>/compose/new/<slug:kind>/", composing.add, name="add"),
    path("<slug:name>/compose/<slug:tile>/", composing.tile, name="tile"),
    path("<slug:name>/preview/", releasing.preview, name="preview"),
    path("<slug:name>/share/", releasing.share, name="share"),
    path("<slug:name>/publish/", releasing.publish, name="publish"),
    path("<slug:name>/versions/", releasing.versions, name="versions"),
    path("<slug:name>/versions/<int:number>/", releasing.version, name="version"),
    path("<slug:name>/delete/", releasing.delete, name="delete"),
]
