"""Addresses of the catalogue. Those of datasets are meant to last: they never change, and a dataset that was withdrawn
keeps its own."""

from django.urls import path, re_path

from allmende.web.catalogue import ckan, files, listing, rdf, sitemap

app_name = "catalogue"

_ID = r"(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)"
_RDF = r"\.(?P<suffix>ttl|rdf|jsonld|nt)"

urlpatterns = [
    path("datasets/", listing.datasets, name="datasets"),
    path("catalog", rdf.catalogue, name="catalog"),
    re_path(rf"^catalog{_RDF}\Z", rdf.catalogue),
    re_path(rf"^dataset/{_ID}\Z", rdf.dataset, name="dataset"),
    re_path(rf"^dataset/{_ID}{_RDF}\Z", rdf.dataset),
    re_path(rf"^dataset/{_ID}/version/(?P<number>[1-9][0-9]{{0,8}})\Z", rdf.edition, name="edition"),
    re_path(rf"^dataset/{_ID}/version/(?P<number>[1-9][0-9]{{0,8}}){_RDF}\Z", rdf.edition),
    re_path(rf"^dataset/{_ID}/streams\.(?P<suffix>csv|json|geojson)\Z", files.streams, name="streams"),
    re_path(r"^api/(?:3/)?action/(?P<name>[a-z_]{1,60})\Z", ckan.action, name="ckan"),
    path("sitemap.xml", sitemap.sitemap, name="sitemap"),
    re_path(r"^sitemap-(?P<part>[1-9][0-9]{0,4})\.xml\Z", sitemap.sitemap),
    path("robots.txt", sitemap.robots, name="robots"),
]
