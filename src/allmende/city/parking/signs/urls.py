"""Addresses of the signs, under those of parking."""

from django.urls import path

from allmende.city.parking.signs import operate, views

urlpatterns = [
    path("signs/", views.show_signs, name="signs"),
    path("signs/operate/", operate.operate, name="signs-operate"),
    path("signs/operate/<int:key>/end", operate.end, name="signs-end"),
    path("signs/<str:sign>/", views.show_sign, name="sign"),
    path("signs/<str:sign>/feed", views.send_feed, name="sign-feed"),
    path("signs/<str:sign>/feed.txt", views.send_text, name="sign-text"),
    path("signs/<str:sign>/report", views.take_report, name="sign-report"),
    path("signs/<str:sign>/token", operate.renew_token, name="sign-token"),
    path("api/datex2/v3/signs-table.xml", views.send_datex, {"publication": "table"}, name="signs-datex-table"),
    path("api/datex2/v3/signs.xml", views.send_datex, {"publication": "status"}, name="signs-datex"),
]
