"""Policies as RDF, in the words of ODRL 2.2 (https://www.w3.org/TR/odrl-model/) and of Creative Commons."""

from collections.abc import Iterable

import xxhash
from rdflib import BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF, RDFS, XSD
from rdflib.term import Node

from allmende.domain.dataset import Texts
from allmende.domain.face import Request, Response
from allmende.domain.licensing import Permission, UsagePolicy
from allmende.faces.dcat import parts
from allmende.faces.dcat.formats import Format, write
from allmende.faces.dcat.names import ODRL, empty_graph

CC = Namespace("http://creativecommons.org/ns#")
_SPACES = {"odrl": ODRL, "cc": CC}


def describe_policies(policies: Iterable[UsagePolicy], root: str) -> Graph:
    """The policies, each at its address."""
    graph = empty_graph()
    graph.bind("cc", CC)
    for policy in policies:
        _describe(graph, policy, root)
    return graph


def _describe(graph: Graph, policy: UsagePolicy, root: str) -> None:
    node = URIRef(f"{root}/policies/{policy.id}")
    graph.add((node, RDF.type, ODRL.Policy))
    graph.add((node, RDF.type, ODRL.Set))
    graph.add((node, ODRL.uid, node))
    parts.say(graph, node, DCTERMS.title, policy.title)
    if policy.licence:
        graph.add((node, DCTERMS.source, URIRef(policy.licence)))
    if policy.page:
        graph.add((node, FOAF.page, URIRef(policy.page)))
    target = URIRef(f"{root}/dataset/{policy.dataset}") if policy.dataset else None
    for permission in policy.permissions:
        graph.add((node, ODRL.permission, _permission(graph, permission, target)))
    for action in policy.prohibitions:
        rule = BNode()
        graph.add((node, ODRL.prohibition, rule))
        graph.add((rule, RDF.type, ODRL.Prohibition))
        graph.add((rule, ODRL.action, _name(action)))
        if target is not None:
            graph.add((rule, ODRL.target, target))


def _permission(graph: Graph, permission: Permission, target: Node | None) -> Node:
    rule = BNode()
    graph.add((rule, RDF.type, ODRL.Permission))
    for action in permission.actions:
        graph.add((rule, ODRL.action, _name(action)))
    if target is not None:
        graph.add((rule, ODRL.target, target))
    if permission.party:
        party = BNode()
        graph.add((rule, ODRL.assignee, party))
        # who has a role is a group; of a person nothing is said but that it is one
        graph.add((party, RDF.type, ODRL.PartyCollection if permission.party == "role" else ODRL.Party))
        kinds = {"person": FOAF.Person, "organisation": FOAF.Organization, "role": FOAF.Group}
        graph.add((party, RDF.type, kinds[permission.party]))
        if permission.name:
            graph.add((party, RDFS.label, Literal(permission.name)))
    _constrain_purpose(graph, rule, permission.purpose)
    if permission.until:
        _constrain(graph, rule, ODRL.dateTime, ODRL.lteq, Literal(permission.until, datatype=XSD.date))
    for duty in permission.duties:
        owed = BNode()
        graph.add((rule, ODRL.duty, owed))
        graph.add((owed, RDF.type, ODRL.Duty))
        graph.add((owed, ODRL.action, _name(duty.action)))
        parts.say(graph, owed, RDFS.comment, duty.said)
        if duty.page:
            graph.add((owed, RDFS.seeAlso, URIRef(duty.page)))
        _constrain_purpose(graph, owed, duty.purpose)
    return rule


def _constrain_purpose(graph: Graph, rule: Node, purpose: Texts) -> None:
    """One purpose in several languages is one constraint with an alternative for each."""
    said = [Literal(text, lang=language) for language, text in purpose.items() if text.strip()]
    if said:
        _constrain(graph, rule, ODRL.purpose, ODRL.isAnyOf if len(said) > 1 else ODRL.eq, *said)


def _constrain(graph: Graph, rule: Node, left: URIRef, operator: URIRef, *right: Node) -> None:
    limit = BNode()
    graph.add((rule, ODRL.constraint, limit))
    graph.add((limit, RDF.type, ODRL.Constraint))
    graph.add((limit, ODRL.leftOperand, left))
    graph.add((limit, ODRL.operator, operator))
    for each in right:
        graph.add((limit, ODRL.rightOperand, each))


def _name(action: str) -> URIRef:
    space, _, name = action.partition(":")
    return _SPACES[space][name]


def answer_policies(request: Request, policies: Iterable[UsagePolicy], root: str, format_: Format) -> Response:
    """Policies as RDF, with a tag of what they say."""
    found = tuple(policies)
    media = f"{format_.media[0]}; charset=utf-8"
    tag = f'W/"{xxhash.xxh3_64_hexdigest(repr((found, root, format_)).encode())}"'
    headers = {"ETag": tag, "Vary": "Accept, Authorization, Cookie", "Cache-Control": "no-cache"}
    if tag in [part.strip() for part in request.if_none_match.split(",")]:
        return Response(status=304, content_type=media, headers=headers)
    return Response(
        status=200, body=write(describe_policies(found, root), format_), content_type=media, headers=headers
    )
