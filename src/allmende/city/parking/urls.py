"""Addresses of the parking service, the same in all languages."""

from django.urls import include, path

from allmende.city.parking import plan_views, report_views, tariffs_views, views
from allmende.city.parking.arrival import views as arrival_views
from allmende.city.parking.drivers import views as driver_views
from allmende.city.parking.feeds.urls import urlpatterns as feeds
from allmende.city.parking.signs.urls import urlpatterns as signs

app_name = "parking"

urlpatterns = [
    path("", views.show_board, name="board"),
    path("board", views.show_fragment, name="fragment"),
    path("board.json", views.send_board, name="board-json"),
    path("map.json", views.send_map, name="map-json"),
    path("plan/", plan_views.show_plan, name="plan"),
    path("plan/plan.csv", plan_views.send_plan, name="plan-csv"),
    path("reports/", report_views.list_reports, name="reports"),
    path("reports/<str:month>/", report_views.show_report, name="report"),
    path("reports/<str:month>/close", report_views.close_report, name="report-close"),
    path("reports/<str:month>/report.<str:form>", report_views.send_report, name="report-file"),
    path("tariffs/", tariffs_views.show_tariffs, name="tariffs"),
    path("tariffs/tariffs.json", tariffs_views.send_tariffs, name="tariffs-json"),
    path("tariffs/cost.json", tariffs_views.send_cost, name="cost-json"),
    path("operate/tariffs/", include("allmende.city.parking.pricing.urls")),
    path("operate/", include("allmende.city.parking.operating.urls")),
    path("widget/", driver_views.show_widget, name="widget"),
    path("widget/build/", driver_views.build_widget, name="widget-build"),
    *feeds,
    path("arrival/", arrival_views.show_arrival, name="arrival"),
    path("arrival/arrival.json", arrival_views.send_arrival, name="arrival-json"),
    *signs,
    path("<str:thing_id>/", views.show_car_park, name="car-park"),
    path("<str:thing_id>/now", views.show_now, name="now"),
    path("<str:thing_id>/history.json", views.send_history, name="history-json"),
]
