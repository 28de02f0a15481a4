"""The book of rules, as anybody reads it."""

import pytest
from django.test import Client
from tests.knowledge.test_closed import PEOPLE
from tests.knowledge.test_follow import CHAIN
from tests.knowledge.town import NOW, Clock, follow, profile, send, settle
from tests.support import HOUSE

from allmende.domain.policy import ANONYMOUS
from allmende.domain.times import HOUR, MINUTE, format_instant
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.prepare import prepare_rules
from allmende.web.house import furnish, open_store
from allmende.web.rulebook.book import derived_streams, how_made
from allmende.web.rulebook.templatetags.rulebook import figure
from allmende.web.rulebook.words import say_duration

pytestmark = pytest.mark.django_db
WRONG = """
[rules.wrong]
version = 1
title = { de = "Falsch", en = "Wrong" }
dataset = "parking"
[rules.wrong.inputs.level]
property = "level"
[rules.wrong.outputs.twice]
property = { id = "twice", name = { de = "Doppelt", en = "Twice" } }
expression = "level * 2 +"
"""


OPENING = CHAIN.replace('by = "all"', 'by = "all"\nopens = { hidden = "a sum tells of nobody" }')


@pytest.fixture
def town(monkeypatch):
    """A town with rules; a mean of two readings, one of which was corrected."""
    made = profile(OPENING + WRONG)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: made)
    store = open_store()
    furnish(store, made)
    clock = Clock()
    follower = follow(store, prepare_rules(made).rules, clock)
    send(store, "a~level", {NOW: 3, NOW + MINUTE: 6})
    settle(follower)
    send(store, "a~level", {NOW + MINUTE: 5})
    settle(follower)
    clock.now = NOW + HOUR
    settle(follower)
    return store


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "de"})


def test_all_rules_are_listed_with_how_they_fare(town, client):
    text = client.get("/rules/").text
    for title in ("Doppelt", "Stündlich", "Zusammen", "Falsch"):
        assert title in text
    assert text.count("Arbeitet") == 3
    assert text.count("Hat einen Fehler") == 1


def test_a_rule_says_in_words_what_it_does(town, client):
    text = client.get("/rules/hourly/").text
    assert "was die Regel doubled.twice gibt" in text
    assert "alle Messwerte des Fensters" in text
    assert "Für Fenster von 1 Stunde nach der Uhr der Stadt" in text
    assert "<code>mean(twice)</code>" in text
    english = Client(headers={"accept-language": "en"}).get("/rules/hourly/").text
    assert "For windows of 1 hour by the city&#x27;s clock" in english
    assert "it ends too early" in client.get("/rules/wrong/").text
    assert client.get("/rules/nobody/").status_code == 404


def test_a_number_says_what_it_was_made_of(town, client):
    answer = client.get("/rules/hourly/value/", {"stream": "a~mean", "time": format_instant(NOW)})
    assert answer.status_code == 200
    assert "<strong>8 </strong>" in answer.text
    assert "a~level~twice" in answer.text
    assert "rule/doubled" in answer.text, "the inputs say who gave them"
    assert "Aus anderen Messwerten" not in answer.text
    deeper = client.get("/rules/doubled/value/", {"stream": "a~level~twice", "time": format_instant(NOW + MINUTE)}).text
    assert "<strong>10 </strong>" in deeper
    assert "berichtigt" in deeper
    assert 'href="/sources/#source-feed"' in deeper
    page = client.get("/rules/hourly/").text
    assert '<td class="kern-table__cell kern-table__cell--numeric">8 </td>' in page, "the newest of each series"
    assert "<strong>8 </strong>" in page, "one is explained on the rule's own page"


def test_what_is_asked_for_wrongly_is_told(town, client):
    answer = client.get("/rules/hourly/value/", {"stream": "a~mean", "time": "yesterday"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    none = client.get("/rules/hourly/value/", {"stream": "a~mean", "time": format_instant(NOW + 7)}).text
    assert "Zu dieser Zeit gibt es keinen Wert" in none
    assert client.get("/rules/hourly/value/", {"stream": "a~level"}).status_code == 404


def test_what_is_not_open_is_not_shown(town, client):
    send(town, "secret~level", {NOW + 2 * MINUTE: 41}, dataset="hidden")
    rules = prepare_rules(profile(OPENING)).rules
    settle(follow(town, rules, Clock(NOW + HOUR)))
    text = client.get("/rules/together/value/", {"stream": "town~sum", "time": format_instant(NOW + 2 * MINUTE)}).text
    assert "auch aus anderen Messwerten entstanden, die nicht für alle offen sind" in text
    assert "secret" not in text
    assert ">41<" not in text


def test_how_many_people_passed_cannot_be_counted_by_the_readings(town, monkeypatch):
    told = profile(PEOPLE)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: told)
    clock = Clock()
    follower = follow(town, prepare_rules(told).rules, clock)
    for name, count in (("c", 6), ("d", 7)):  # a reading for each of them; both are told as 5
        send(town, f"{name}~people", {NOW + n: 1 for n in range(count)}, observed="people", dataset="hidden")
    clock.now = NOW + 3 * HOUR
    settle(follower)
    of_six, of_seven = (explained(town, told, "people", f"{name}~sum", NOW) for name in "cd")
    assert (of_six.trace.result, of_seven.trace.result) == (5, 5)
    assert of_six.hidden
    assert (of_six.inputs, of_six.more, of_six.hidden) == (of_seven.inputs, of_seven.more, of_seven.hidden)


def test_steps_are_not_shown_where_what_is_hidden_is_older_than_what_is_shown(town, monkeypatch):
    monkeypatch.setattr("allmende.web.rulebook.book.SHOWN_READINGS", 1)
    steps = '[rules.together.steps]\nmost = "max(level)"\n[rules.together.out'
    told = profile(OPENING.replace("[rules.together.out", steps))
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: told)
    follower = follow(town, prepare_rules(told).rules, Clock(NOW + HOUR))
    send(town, "secret~level", {NOW + 2 * MINUTE: 41}, dataset="hidden")
    send(town, "a~level", {NOW + 3 * MINUTE: 1})
    settle(follower)
    made = explained(town, told, "together", "town~sum", NOW + 3 * MINUTE)
    assert made.hidden
    assert made.explanation.steps == {}
    assert [one.stream for one in made.inputs["level"]] == ["a~level"]
    assert made.more == {}
    everything = explained(town, told, "together", "town~sum", NOW + 3 * MINUTE, HOUSE)
    assert everything.explanation.steps == {"most": 41}
    assert everything.more == {"level": 1}


def explained(store, told, rule, stream, stamp, reader=ANONYMOUS):
    ready = next(one for one in prepare_rules(told).rules if one.id == rule)
    (shown,) = derived_streams(store, reader, rule, stream=stream)
    return how_made(store, reader, ready, shown, stamp, Limits())


@pytest.mark.parametrize(
    ("text", "german"),
    [("PT1H", "1 Stunde"), ("P6M", "6 Monate"), ("P1Y", "1 Jahr"), ("PT90S", "1 Minute 30 Sekunden"), ("x", "x")],
)
def test_durations_are_said_in_words(text, german):
    from django.utils import translation

    with translation.override("de"):
        assert say_duration(text) == german


def test_figures_are_written_as_people_read_them():
    from django.utils import translation

    with translation.override("de"):
        said = [figure(value) for value in (3.0, 3.25349, 1410223, None, True, "yellow", [1, 2.5])]
    assert said == ["3", "3,2535", "1.410.223", "kein Wert", "wahr", "yellow", "1, 2,5"]
