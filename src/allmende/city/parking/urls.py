"""Addresses of the parking service, the same in all languages."""

from django.urls import path

from allmende.city.parking import report_views, tariffs_views, views
from allmende.city.parking.feeds import views as feeds

app_name = "parking"

urlpatterns = [
    path("", views.show_board, name="board"),
    path("board", views.show_fragment, name="fragment"),
    path("board.json", views.send_board, name="board-json"),
    path("map.json", views.send_map, name="map-json"),
    path("developers/", feeds.show_developers, name="developers"),
    path("api/public/v3/parking-sites", feeds.send_sites, name="parkapi-sites"),
    path("api/public/v3/parking-sites.geojson", feeds.send_sites, name="parkapi-sites-geojson"),
    path("api/public/v3/parking-sites/<int:number>", feeds.send_site, name="parkapi-site"),
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
    path("reports/", report_views.list_reports, name="reports"),
    path("reports/<str:month>/", report_views.show_report, name="report"),
    path("reports/<str:month>/report.<str:form>", report_views.send_report, name="report-file"),
    path("tariffs/", tariffs_views.show_tariffs, name="tariffs"),
    path("tariffs/tariffs.json", tariffs_views.send_tariffs, name="tariffs-json"),
    path("tariffs/cost.json", tariffs_views.send_cost, name="cost-json"),
    path("<str:thing_id>/", views.show_car_park, name="car-park"),
    path("<str:thing_id>/now", views.show_now, name="now"),
    path("<str:thing_id>/history.json", views.send_history, name="history-json"),
]
