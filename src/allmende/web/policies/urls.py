"""Addresses of policies. Catalogues keep them: they never change."""

from django.urls import path, re_path

from allmende.web.policies import views

app_name = "policies"

_ID = r"(?P<name>[a-z0-9]+(?:[-_][a-z0-9]+)*)"
_RDF = r"\.(?P<suffix>ttl|rdf|jsonld|nt)"

urlpatterns = [
    path("", views.overview, name="overview"),
    re_path(rf"^{_ID}\Z", views.policy, name="policy"),
    re_path(rf"^{_ID}{_RDF}\Z", views.policy),
]
