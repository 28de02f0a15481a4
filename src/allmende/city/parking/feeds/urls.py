"""Addresses of the feeds, under those of the parking service."""

from django.urls import path

from allmende.city.parking.feeds import openapi
from allmende.city.parking.feeds import views as feeds

urlpatterns = [
    path("api/openapi.json", openapi.document, name="openapi"),
    path("developers/", feeds.show_developers, name="developers"),
    path("api/public/v3/parking-sites", feeds.send_sites, name="parkapi-sites"),
    path("api/public/v3/parking-sites.geojson", feeds.send_sites, name="parkapi-sites-geojson"),
    path("api/public/v3/parking-sites/<int:number>", feeds.send_site, name="parkapi-site"),
    path("api/public/v3/parking-sites/<int:number>/history", feeds.send_site_history, name="parkapi-history"),
    path("api/public/v3/parking-spots", feeds.send_spots, name="parkapi-spots"),
    path("api/public/v3/parking-spots.geojson", feeds.send_spots, name="parkapi-spots-geojson"),
    path("api/public/v3/parking-spots/<int:number>", feeds.send_spot, name="parkapi-spot"),
    path("api/public/v3/sources", feeds.send_sources, name="parkapi-sources"),
    path("api/public/v3/sources/<int:number>", feeds.send_source, name="parkapi-source"),
    path("api/datex2/v3/table.xml", feeds.send_datex, {"publication": "table"}, name="datex-table"),
    path("api/datex2/v3/status.xml", feeds.send_datex, {"publication": "status"}, name="datex-status"),
    path("api/datex2/v2/status.xml", feeds.send_datex_v2, name="datex-v2"),
    path("api/sites.csv", feeds.send_table, name="sites-csv"),
    path("api/sites/<str:thing_id>/history.csv", feeds.send_history_table, name="history-csv"),
]
