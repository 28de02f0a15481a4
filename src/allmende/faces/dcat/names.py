"""Names of the world that descriptions are made of, and the profiles of DCAT that they keep to."""

from enum import StrEnum

import rdflib
from rdflib import Graph, Namespace
from rdflib.namespace import DCTERMS, FOAF, OWL, PROV, RDF, RDFS, SKOS, XSD

# a description is given out in the letters in which it came: 01 stays 01
rdflib.NORMALIZE_LITERALS = False

ADMS = Namespace("http://www.w3.org/ns/adms#")
DCAT = Namespace("http://www.w3.org/ns/dcat#")
"""rdflib's own does not know the third version."""
DCATAP = Namespace("http://data.europa.eu/r5r/")
DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
DQV = Namespace("http://www.w3.org/ns/dqv#")
ELI = Namespace("http://data.europa.eu/eli/ontology#")
GEO = Namespace("http://www.opengis.net/ont/geosparql#")
GEODCATAP = Namespace("http://data.europa.eu/930/")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
LDQD = Namespace("http://www.w3.org/2016/05/ldqd#")
LOCN = Namespace("http://www.w3.org/ns/locn#")
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")

THEME_TAXONOMY = "http://publications.europa.eu/resource/authority/data-theme"
IANA = "https://www.iana.org/assignments/media-types/"
PREFIXES = {
    "adms": ADMS, "dcat": DCAT, "dcatap": DCATAP, "dcatde": DCATDE, "dct": DCTERMS, "dqv": DQV, "eli": ELI,
    "foaf": FOAF, "geo": GEO, "geodcatap": GEODCATAP, "hydra": HYDRA, "ldqd": LDQD, "locn": LOCN, "odrl": ODRL,
    "owl": OWL, "prov": PROV, "rdf": RDF, "rdfs": RDFS, "skos": SKOS, "spdx": SPDX, "vcard": VCARD, "xsd": XSD,
}  # fmt: skip


class Profile(StrEnum):
    """A profile by the name that a question gives it."""

    DE_2 = "dcat-ap-de-2.0"
    DE_3 = "dcat-ap-de-3.0"

    @property
    def uri(self) -> str:
        """How the world names it."""
        return f"http://dcat-ap.de/def/dcatde/{self.value.rpartition('-')[2]}/"


NEWEST = Profile.DE_3


def empty_graph() -> Graph:
    """A graph that knows the prefixes and no others."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    return graph
