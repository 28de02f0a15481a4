"""Addresses of subscriptions. Those of feeds and of the service worker never change."""

from django.urls import path, re_path

from allmende.web.subscriptions import own_views, push_views, views

app_name = "subscriptions"

urlpatterns = [
    path("", views.start, name="start"),
    path("new/", views.new, name="new"),
    path("sent/", views.sent, name="sent"),
    re_path(r"^feed\.(?P<kind>atom|rss|ics)\Z", views.feed, name="feed"),
    path("confirm/<str:token>/", own_views.confirm_it, name="confirm"),
    path("renew/<str:token>/", own_views.renew_it, name="renew"),
    path("mine/", own_views.ask_link, name="ask-link"),
    path("mine/<str:token>/", own_views.mine, name="mine"),
    path("mine/<str:token>/end/<int:number>/", own_views.drop, name="drop"),
    path("off/<str:token>/", own_views.off, name="off"),
    path("push/", push_views.subscribe, name="push"),
    path("push/move/", push_views.move, name="push-move"),
    path("push/mine/", push_views.mine, name="push-mine"),
    path("worker.js", push_views.worker, name="worker"),
    path("ended/", own_views.ended, name="ended"),
]
