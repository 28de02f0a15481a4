"""Stories: written by one, published by another; and what outsiders see of their blocks."""

import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace
from PIL import Image
from tests.web.vault import person, streams  # noqa: F401  a fixture

from allmende.web.accounts.models import AuditEntry, User
from allmende.web.accounts.people import remove_user
from allmende.web.grants.models import Grant
from allmende.web.house import open_profile
from allmende.web.profiles import available_profiles, load_profile
from allmende.web.stories import blocks
from allmende.web.stories.models import Story, StoryPicture, StoryVersion

pytestmark = pytest.mark.django_db
TEXT = "# Der Hof\n\nEs ist **warm**. <script>x</script>\n\n{}\n\nEnde."
BLOCK = '```tile kind=value\ntitle = "{}"\nstreams = ["{}"]\n```'


@pytest.fixture
def writer() -> tuple[User, Client]:
    return person("wanda", "editor")


@pytest.fixture
def steward() -> tuple[User, Client]:
    return person("stefan", "steward")


def write(client: Client, body: str, **more: str) -> str:
    said = {"title": "Der Hof", "summary": "Wie warm es ist", "kind": "story", "then": "keep", "body": body, **more}
    answer = client.post("/stories/new/", said)
    assert answer.status_code == 302, answer.text
    return str(answer["Location"].split("/")[2])


def do(client: Client, name: str, deed: str) -> int:
    return client.post(f"/stories/{name}/publish/", {"then": deed}).status_code


def test_somebody_else_publishes_what_one_wrote(writer, steward):
    name = write(writer[1], TEXT.format(BLOCK.format("Wärme", "yard~t")))
    nobody = Client(HTTP_ACCEPT_LANGUAGE="de")
    assert nobody.get(f"/stories/{name}/").status_code == 404
    assert nobody.get(f"/stories/{name}/edit/").status_code == 302
    assert do(steward[1], name, "publish") == 422  # nobody asked for it
    assert do(writer[1], name, "propose") == 302
    assert do(writer[1], name, "publish") == 422  # she may not publish
    assert nobody.get(f"/stories/{name}/").status_code == 404
    assert do(steward[1], name, "publish") == 302
    page = nobody.get(f"/stories/{name}/").text
    assert "13,5" in page
    assert "<strong>warm</strong>" in page
    assert "<script>x" not in page
    assert "wanda" not in page
    assert "Der Hof" in nobody.get("/stories/").text

    # a change is a draft; it takes a proposal of its own
    said = {"title": "Der Hof", "summary": "", "kind": "story", "then": "keep", "body": "Anders"}
    writer[1].post(f"/stories/{name}/edit/?language=de", said)
    assert "13,5" in nobody.get(f"/stories/{name}/").text
    assert do(steward[1], name, "publish") == 422
    assert "<ins>Anders</ins>" in steward[1].get(f"/stories/{name}/publish/").text
    writer[1].post(f"/stories/{name}/edit/?language=en", {**said, "body": "Otherwise"})
    assert do(writer[1], name, "propose") == 302
    assert do(steward[1], name, "publish") == 302
    assert "Anders" in nobody.get(f"/stories/{name}/").text
    assert "Otherwise" in nobody.get(f"/stories/{name}/?language=en").text

    # the first version again
    writer[1].post(f"/stories/{name}/versions/1/")
    do(writer[1], name, "propose")
    assert do(steward[1], name, "publish") == 302
    assert "13,5" in nobody.get(f"/stories/{name}/").text
    assert list(StoryVersion.objects.values_list("number", flat=True)) == [3, 2, 1]
    assert do(steward[1], name, "withdraw") == 302
    assert nobody.get(f"/stories/{name}/").status_code == 404
    log = set(AuditEntry.objects.filter(object=f"story:{name}").values_list("action", flat=True))
    assert log == {"story.create", "story.change", "story.propose", "story.publish", "story.withdraw"}


def test_what_another_window_kept_is_not_overwritten_unseen(writer, steward):
    name = write(writer[1], "Eins")
    address = f"/stories/{name}/edit/?language=de"

    def seen(page: str) -> str:
        (found,) = re.findall(r'name="seen" value="(\w+)"', page)
        return str(found)

    said = {"title": "Der Hof", "kind": "story", "then": "keep", "seen": seen(writer[1].get(address).text)}
    assert steward[1].post(address, {**said, "body": "Zwei"}).status_code == 302
    looked = writer[1].post(address, {**said, "body": "Drei", "then": "look"}).text
    refused = writer[1].post(address, {**said, "body": "Drei", "seen": seen(looked)})
    assert refused.status_code == 422
    assert "Dieser Text wurde geändert" in refused.text
    assert "Drei" in refused.text
    assert "Zwei" in writer[1].get(address).text
    assert writer[1].post(address, {**said, "body": "Drei", "seen": seen(refused.text)}).status_code == 302
    assert "Drei" in writer[1].get(address).text


def test_four_eyes_hold_for_stewards_too(steward, monkeypatch):
    name = write(steward[1], "Text")
    do(steward[1], name, "propose")
    second = person("sina", "steward")
    assert do(steward[1], name, "publish") == 422
    monkeypatch.setattr(settings, "ALLMENDE", replace(settings.ALLMENDE, four_eyes=False))
    assert do(steward[1], name, "publish") == 302
    assert AuditEntry.objects.filter(action="story.publish").get().detail["four_eyes"] is False
    monkeypatch.setattr(settings, "ALLMENDE", replace(settings.ALLMENDE, four_eyes=True))
    remove_user(second[0], actor="test")
    do(steward[1], name, "propose")
    assert do(steward[1], name, "publish") == 302  # nobody else could
    assert AuditEntry.objects.filter(action="story.publish").first().detail["alone"] is True


def test_outsiders_see_nothing_of_a_block_that_reads_what_is_hidden(writer, steward):
    until = timezone.localdate() + timedelta(days=9)
    Grant.objects.create(dataset="vault", user=writer[0], purpose="to look after the cellar", until=until)
    name = write(writer[1], TEXT.format(BLOCK.format("Im Tresor", "cellar~t")))
    assert "Im Tresor" in writer[1].get(f"/stories/{name}/edit/").text
    do(writer[1], name, "propose")
    assert do(steward[1], name, "publish") == 302
    bare = write(writer[1], TEXT.format(""))
    do(writer[1], bare, "propose")
    do(steward[1], bare, "publish")
    told, without = (Client().get(f"/stories/{each}/").text.replace(each, "") for each in (name, bare))
    assert "Im Tresor" not in told
    assert "cellar" not in told
    assert re.sub(r"\s+", "", told) == re.sub(r"\s+", "", without)
    assert "Im Tresor" in writer[1].get(f"/stories/{name}/").text


def test_a_story_that_names_what_is_hidden_is_not_published(writer, steward):
    until = timezone.localdate() + timedelta(days=9)
    Grant.objects.create(dataset="vault", user=steward[0], purpose="to look after the cellar", until=until)
    name = write(writer[1], "Im Cellar of the vault ist es warm.")
    do(writer[1], name, "propose")
    refused = steward[1].post(f"/stories/{name}/publish/", {"then": "publish"})
    assert refused.status_code == 422
    assert "<li>Cellar of the vault</li>" in refused.text
    assert do(steward[1], name, "decline") == 302
    assert Story.objects.get().proposed is None


def test_what_is_wrong_in_a_block_is_said_by_its_line(writer):
    for block, words in (
        ("```tile kind=none\n```", "none"),
        ("```tile what\n```", "tile kind="),
        ("```tile kind=value\ntitle = \n```", "TOML"),
        ('```tile kind=value\nstreams = ["a"]\n```', "Titel"),
        ('```tile kind=value\ntitle = "x"\n```', "value"),
        ('```tile kind=value\ntitle = "x"\nstreams = ["cellar~t"]\ndatasets = ["vault"]\n```', "streams"),
    ):
        said = {"title": "x", "then": "look", "kind": "story", "body": f"Eins\n\n{block}"}
        page = writer[1].post("/stories/new/", said)
        assert page.status_code == 200
        assert "Zeile 3" in page.text
        assert words in page.text
    assert Story.objects.count() == 0
    name = write(writer[1], said["body"])
    assert do(writer[1], name, "propose") == 422


def test_the_feed_tells_of_stories(writer, steward):
    name = write(writer[1], "Text", title="Neues & <Gutes>")
    do(writer[1], name, "propose")
    do(steward[1], name, "publish")
    feed = Client(HTTP_ACCEPT_LANGUAGE="de").get("/stories/feed.xml")
    assert feed["Content-Type"].startswith("application/rss+xml")
    items = ET.fromstring(feed.content).findall("channel/item")
    assert items[0].findtext("title") == "Neues & <Gutes>"
    assert items[0].findtext("link").endswith(f"/stories/{name}/")
    assert len(items) == 1 + len(open_profile().stories)


def test_stories_stay_when_their_writer_goes(writer, steward):
    name = write(writer[1], "Text")
    do(writer[1], name, "propose")
    do(steward[1], name, "publish")
    remove_user(writer[0], actor="test")
    assert list(Story.objects.values_list("handle", "author", "proposer")) == [(name, None, None)]
    assert Client().get(f"/stories/{name}/").status_code == 200


def test_every_block_of_a_bundled_city_can_be_read():
    for profile in map(load_profile, available_profiles()):
        for story in profile.stories.values():
            for language, text in story.content.texts.items():
                assert blocks.wrongs(text.body) == [], (story.id, language)


def test_the_citys_stories_are_there_in_simple_german_too():
    stories = open_profile().stories
    if not stories:
        pytest.skip("this city has no stories")
    for name, story in stories.items():
        page = Client(HTTP_ACCEPT_LANGUAGE="de").get(f"/stories/{name}/?language=de-simple")
        assert page.status_code == 200
        said = story.content.texts.get("de-simple", story.content.texts["de"])
        assert said.title in page.text


def photo(form: str = "JPEG", size: tuple[int, int] = (2400, 1200)) -> bytes:
    """As a camera writes it, lying on its side, with the place where it was taken."""
    image = Image.new("RGB", size, "teal")
    exif = image.getexif()
    exif[0x0112], exif[0x010F] = 6, "Secret Camera"
    exif.get_ifd(0x8825)[1] = "N"
    out = BytesIO()
    image.save(out, form, exif=exif, comment=b"Secret words")
    return out.getvalue()


def send(client: Client, name: str, raw: bytes):
    return client.post(f"/stories/{name}/pictures/", {"file": SimpleUploadedFile("secret-name.jpg", raw)})


PICTURE = '```picture key={}\nalt = "Ein Brunnen <b>"\ncredit = "Foto: Stadt, CC BY 4.0"\n```'


def test_a_picture_is_kept_without_what_its_camera_wrote_and_seen_once_it_is_published(writer, steward):
    nobody = Client(HTTP_ACCEPT_LANGUAGE="de")
    name = write(writer[1], "Hier.")
    assert send(writer[1], name, photo()).status_code == 302
    key = StoryPicture.objects.get().key
    assert f"picture key={key}" in writer[1].get(f"/stories/{name}/pictures/").text
    address = f"/stories/pictures/{key}.webp"
    assert nobody.get(address).status_code == 404
    sent = writer[1].get(address)
    assert sent["Cache-Control"] == "private, no-store"
    kept = Image.open(BytesIO(sent.content))
    assert (kept.format, kept.size) == ("WEBP", (800, 1600)), "upright and smaller"
    assert b"Secret" not in sent.content
    assert not kept.getexif()
    writer[1].post(f"/stories/{name}/edit/?language=de", {"title": "x", "kind": "story", "then": "keep",
                                                          "body": PICTURE.format(key)})  # fmt: skip
    assert do(writer[1], name, "propose") == 302
    assert do(steward[1], name, "publish") == 302
    page = nobody.get(f"/stories/{name}/").text
    assert f'src="{address}" alt="Ein Brunnen &lt;b&gt;" width="800" height="1600"' in page
    assert "Foto: Stadt, CC BY 4.0" in page
    seen = nobody.get(address)
    assert (seen.status_code, seen["Content-Type"]) == (200, "image/webp")
    assert (seen["X-Content-Type-Options"], seen["Cache-Control"]) == ("nosniff", "public, max-age=3600")
    assert nobody.get(address, HTTP_IF_NONE_MATCH=seen["ETag"]).status_code == 304
    writer[1].post(f"/stories/{name}/pictures/", {"drop": key})
    assert "<img" not in nobody.get(f"/stories/{name}/").text
    log = list(AuditEntry.objects.filter(action__startswith="story.picture").values_list("action", flat=True))
    assert log == ["story.picture.delete", "story.picture.add"]


def test_what_is_no_picture_or_too_much_of_one_is_refused(writer, settings):
    name = write(writer[1], "Hier.")
    settings.ALLMENDE = replace(settings.ALLMENDE, story_picture_megapixels=1, story_pictures=1,
                                story_picture_bytes=100_000)  # fmt: skip
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    small, moving = photo(size=(40, 20)), BytesIO()
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    huge = photo("PNG", (2000, 2000))
    for wrong in (b"", b"GIF89a", svg, small[:100], huge, moving.getvalue(), b"x" * 100_001):
        answer = send(writer[1], name, wrong)
        assert answer.status_code == 422, wrong[:20]
        assert 'role="alert"' in answer.text
    assert writer[1].post(f"/stories/{name}/pictures/", {"drop": "none"}).status_code == 302
    assert send(writer[1], name, small).status_code == 302
    assert "höchstens 1" in send(writer[1], name, small).text
    assert Client().post(f"/stories/{name}/pictures/", {"drop": StoryPicture.objects.get().key}).status_code in (
        302,
        403,
    )
    assert StoryPicture.objects.count() == 1


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (PICTURE.format("0" * 32), "Bild dieser Geschichte"), (PICTURE.format("x"), "picture key="),
        (PICTURE.format("0" * 32).replace("Ein Brunnen <b>", " "), "alt"),
        (PICTURE.format("0" * 32).replace("credit", "by"), "credit"),
        (PICTURE.format("0" * 32).replace("alt =", "alt ="[:3]), "TOML"),
    ],
)  # fmt: skip
def test_a_picture_that_is_not_there_or_says_nothing_is_not_published(writer, block, words):
    name = write(writer[1], block)
    answer = writer[1].post(f"/stories/{name}/publish/", {"then": "propose"})
    assert answer.status_code == 422
    assert words in answer.text


def test_stories_of_the_profile_bring_no_pictures():
    assert blocks.wrongs(PICTURE.format("0" * 32))
