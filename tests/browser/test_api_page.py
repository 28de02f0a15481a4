"""The developers' page: readable without a script, usable by keyboard alone, silent towards everybody else."""

import pytest

from tests.browser.looking import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


def test_every_address_is_listed_without_script(visit):
    page = visit(script=False, locale="en-GB").open("/api/")
    assert not page.get_by_role("heading", name="Try it out").is_visible()
    page.locator("summary", has_text="ObservedProperties").click()
    assert page.get_by_text("ObservedProperties({id})/Datastreams", exact=True).first.is_visible()
    page.get_by_role("link", name="Three things that are measured").click()
    assert page.url.endswith("/sta/v1.1/Things?$top=3")


def test_a_question_is_asked_by_keyboard(visit, axe):
    visitor = visit(width=1280, locale="en-GB")
    page = visitor.open("/api/")
    page.get_by_role("link", name="Three things that are measured").focus()
    page.keyboard.press("Enter")
    assert page.get_by_label("Address").evaluate("field => field === document.activeElement")
    page.keyboard.press("Control+A")
    page.keyboard.type("Datastreams?$top=1&$select=name")
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("200 OK").wait_for()
    content = page.locator("[data-content]")
    assert '"name"' in content.inner_text()
    assert "Datastreams?$top=1&$select=name" in page.locator("[data-command]").inner_text()
    first = content.inner_text()
    page.get_by_role("button", name="Next page").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("before => document.querySelector('[data-content]').textContent !== before", arg=first)
    assert "$skiptoken" in page.get_by_label("Address").input_value()
    assert audit(page, axe) == []
    assert visitor.faults == []


def test_a_token_is_sent_here_alone_and_kept_nowhere(visit):
    page = visit(width=1280, locale="en-GB").open("/api/")
    page.locator("summary", has_text="Things").first.click()
    page.locator("[data-try][data-method=POST][data-address=Things]").click()
    assert '"description"' in page.get_by_label("What is sent").input_value()
    page.get_by_label("Token").fill("allmende_wrong")
    with page.expect_request("**/sta/v1.1/Things") as sent:
        page.get_by_role("button", name="Send", exact=True).click()
    assert sent.value.headers["authorization"] == "Bearer allmende_wrong"
    page.get_by_role("status").get_by_text("401").wait_for()
    assert "allmende_wrong" not in page.locator("[data-command]").inner_text()
    page.get_by_label("Address").fill("https://elsewhere.example/sta/v1.1/Things")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("status").get_by_text("does not belong").wait_for()
    assert page.evaluate("Object.values(localStorage).concat(Object.values(sessionStorage)).join()") == ""
    page.reload()
    assert page.get_by_label("Token").input_value() == ""
