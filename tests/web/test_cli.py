"""The commands: what they print, how they end. In this process, against the tests' own database."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from tests.web.simple import city, connector, lines

from allmende.domain.errors import ConfigurationError, InvalidInput, NotFound, StorageBusy, StorageFull
from allmende.domain.policy import house_reader
from allmende.web.accounts.models import AuditEntry, Token, User
from allmende.web.cli import main
from allmende.web.cli.app import commands
from allmende.web.cli.errors import MEANINGS, ExitCode, code_of
from allmende.web.house import furnish, open_store
from allmende.web.serve import AlreadyRunning

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long and quiet river"


@pytest.fixture
def house(db, monkeypatch):
    """The simple city in the tests' database."""
    profile = city(feed={}, sent={"topic": "devices/#"}, lost={"connector": "nobody"})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: profile)
    monkeypatch.setattr("allmende.connectors.registry.connectors", lambda: {"simple": connector()})
    monkeypatch.setattr("allmende.web.observability.logs.configure", lambda *_: None)
    monkeypatch.setenv("ALLMENDE_DISK_FLOOR", "0")
    furnish(open_store(), profile)
    return open_store()


@pytest.fixture
def run(capsys):
    """Gives exit code, standard output (read as JSON where asked for) and standard error."""

    def call(*arguments: str):
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and out else out, err

    return call


def write(path: Path, *rows: str) -> str:
    path.write_bytes(lines(*rows))
    return str(path)


# --- import


def test_an_import_counts_what_became_of_each_reading(house, run, tmp_path):
    file = write(tmp_path / "a.csv", "a,1,5", "a,2,6", "bad")
    code, counts, err = run("import", "feed", file, "--json")
    assert (code, err) == (0, "")
    assert counts.pop("seconds") >= 0
    assert counts == {"read": 3, "accepted": 2, "repeated": 0, "corrected": 0, "rejected": 1, "gone": 0}
    other = write(tmp_path / "b.csv", "a,2,7", "b,1,1")
    code, counts, _ = run("import", "feed", file, other, "--json")
    assert {k: counts[k] for k in ("read", "accepted", "repeated", "corrected", "rejected")} == {
        "read": 5,
        "accepted": 1,
        "repeated": 2,
        "corrected": 1,
        "rejected": 1,
    }
    assert [e.detail["files"] for e in AuditEntry.objects.filter(action="import").order_by("id")] == [
        ["a.csv"],
        ["a.csv", "b.csv"],
    ]


def test_an_import_says_where_rejections_are_seen(house, run, tmp_path):
    code, out, _ = run("import", "feed", write(tmp_path / "a.csv", "a,1,5", "bad"))
    assert code == 0
    assert "2 read in" in out
    assert "allmende rejections list --source feed" in out


def test_standard_input_is_a_file_too(house, run, monkeypatch):
    class Input:
        buffer = io.BytesIO(gzip.compress(lines("a,1,5")))

    monkeypatch.setattr(sys, "stdin", Input)
    assert run("import", "feed", "-", "--json")[1]["accepted"] == 1


def test_an_import_of_which_nothing_could_be_read_fails(house, run, tmp_path):
    code, counts, _ = run("import", "feed", write(tmp_path / "a.csv", "bad", "worse"), "--json")
    assert (code, counts["rejected"]) == (ExitCode.FAILED, 2)


def test_what_was_committed_before_a_file_breaks_off_is_counted(house, run, tmp_path):
    whole = gzip.compress(lines(*(f"a,{n},{n * 7919 % 1000}" for n in range(60_000))), 1)
    path = tmp_path / "broken.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    code, counts, err = run("import", "feed", str(path), "--json")
    assert code == ExitCode.FAILED
    assert counts["accepted"] == counts["read"] == house.sources()["feed"].accepted > 0
    assert "damaged or cut off" in counts["error"]
    assert err.count("\n") == 2


def test_a_full_disk_ends_an_import_with_a_word(house, run, tmp_path, monkeypatch):
    monkeypatch.setenv("ALLMENDE_DISK_FLOOR", "1000000G")
    code, counts, err = run("import", "feed", write(tmp_path / "a.csv", "a,1,5"), "--json")
    assert (code, counts["code"], counts["read"]) == (ExitCode.STORAGE, 5, 0)
    assert "ALLMENDE_DISK_FLOOR" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("import", "nope", __file__), 4, 'no source "nope"; there are feed, sent, lost'),
        (("import", "lost", __file__), 4, "no installed package offers"),
        (("import", "feed", "/nowhere/at.csv"), 4, "no such file: /nowhere/at.csv"),
        (("import", "feed", "/"), 4, "is a directory"),
        (("import", "feed"), 2, "allmende import --help"),
        (("imprt",), 2, "Did you mean 'import'"),
        (("sources", "--jsn"), 2, "--jsn"),
        (("rejections", "show", "99"), 4, "no rejection 99"),
        (("rejections", "show", "x"), 2, "integer"),
        (("rejections", "replay"), 2, "either a number or --all"),
        (("rejections", "replay", "1", "--all"), 2, "either a number or --all"),
        (("token", "revoke", "nobody"), 4, "allmende token list"),
        (("user", "remove", "nobody"), 4, "allmende user list"),
        (("token", "create", "x", "--dataset", "nope"), 4, "there are counts, closed"),
        (("token", "create", "x", "--days", "0"), 2, "--days"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(house, run, arguments, code, words):
    ended, out, err = run(*arguments)
    assert ended == code
    assert words in err
    assert err.startswith("allmende: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err + out
    ended, out, err = run(*arguments, "--json")
    assert ended == code
    assert words in out["error"]
    assert out["code"] == code


def test_the_code_is_shown_when_asked_for(house):
    with pytest.raises(NotFound):
        main(["--debug", "rejections", "show", "99"])


# --- sources and rejections


def test_sources_are_told_with_their_state(house, run, tmp_path):
    run("import", "feed", write(tmp_path / "a.csv", "a,1,5", "bad"))
    house.note_attempt("sent", 1_800_000_000_000_000, "The host did not answer in time.")
    code, listed, _ = run("sources", "--json")
    assert code == 0
    by_id = {source["id"]: source for source in listed}
    assert (by_id["feed"]["accepted"], by_id["feed"]["rejected"], by_id["feed"]["state"]) == (1, 1, "working")
    assert by_id["feed"]["newest"] == "2023-11-14T22:13:21.000Z"
    assert (by_id["sent"]["state"], by_id["sent"]["last_error"][:8]) == ("failing", "The host")
    assert "nobody" in by_id["lost"]["problems"][0]
    _, text, _ = run("sources")
    assert "The host did not answer in time." in text
    assert "no installed package" in text


def test_rejections_are_listed_shown_and_replayed(house, run, tmp_path, monkeypatch):
    run("import", "feed", write(tmp_path / "a.csv", "a,1,5", "b;2;6", "c;3;7", "\x1b[31mred"))
    code, listed, _ = run("rejections", "list", "--json")
    assert {r["code"] for r in listed} == {"bad-line"}
    assert len(listed) == 3
    assert run("rejections", "list", "--code", "other", "--json")[1] == []
    assert "no rejections" in run("rejections", "list", "--source", "sent")[1]
    number = str(min(r["number"] for r in listed))
    assert run("rejections", "show", number, "--json")[1]["body"] == "header\nb;2;6"
    shown = run("rejections", "show", str(max(r["number"] for r in listed)))[1]
    assert "[31mred" in shown
    assert "\x1b" not in shown

    code, told, _ = run("rejections", "replay", number, "--json")
    assert (code, told["settled"], told["rejected"]) == (ExitCode.FAILED, 0, 1)
    real = connector().parse
    mended = connector()
    monkeypatch.setattr(
        "allmende.connectors.registry.connectors",
        lambda: {
            "simple": type(mended)(
                manifest=mended.manifest,
                parse=lambda payload, source: real(
                    type(payload)(
                        body=payload.body.replace(b";", b","), name=payload.name, received_at=payload.received_at
                    ),
                    source,
                ),
            )
        },
    )
    code, told, _ = run("rejections", "replay", "--all", "--json")
    assert (code, told["replayed"], told["settled"], told["accepted"], told["rejected"]) == (1, 3, 2, 2, 1)
    assert sum(r["replayed_at"] is not None for r in run("rejections", "list", "--json")[1]) == 2
    assert run("rejections", "replay", "--all", "--json")[1]["replayed"] == 1
    assert AuditEntry.objects.filter(action="rejections.replay").count() == 1


def test_rejections_of_an_unknown_source_are_not_none(house, run):
    for command in (("list",), ("replay", "--all")):
        code, _, err = run("rejections", *command, "--source", "nowhere")
        assert code == ExitCode.NOT_FOUND
        assert "feed" in err


def test_the_list_of_rejections_shows_numbers_beside_long_reasons(house, run, tmp_path):
    run("import", "feed", write(tmp_path / "a.csv", "b;\x1b[31m" + "x" * 400))
    (listed,) = run("rejections", "list", "--json")[1]
    told = run("rejections", "list")[1]
    assert {str(listed["number"]), "feed", "bad-line"} <= set(told.split())
    assert "\x1b" not in told


def test_what_was_cut_is_not_replayed(house, run, tmp_path):
    run("import", "feed", write(tmp_path / "a.csv", "b;2;6" + "x" * 300_000))
    (cut,) = run("rejections", "list", "--json")[1]
    assert "cannot be replayed" in cut["reason"]
    assert run("rejections", "replay", "--all", "--json")[:2] == (
        0,
        {
            "replayed": 0,
            "settled": 0,
            "read": 0,
            "accepted": 0,
            "repeated": 0,
            "corrected": 0,
            "rejected": 0,
            "errors": [],
        },
    )
    code, _, err = run("rejections", "replay", str(cut["number"]))
    assert (code, "not whole" in err) == (ExitCode.FAILED, True)
    assert len(run("rejections", "list", "--json")[1]) == 1


# --- people


def test_a_user_is_added_listed_and_removed(house, run, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert run("user", "add", "anna", "--admin", "--email", "anna@city.example", "--json") == (
        0,
        {"name": "anna", "role": "administrator"},
        "",
    )
    anna = User.objects.get()
    assert anna.check_password(PASSWORD)
    assert (anna.is_superuser, anna.is_staff) == (True, True)
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    assert run("user", "add", "bert", "--password-file", str(secret))[0] == 0
    assert User.objects.get(username="bert").check_password(PASSWORD)
    assert not User.objects.get(username="bert").is_superuser
    assert [u["name"] for u in run("user", "list", "--json")[1]] == ["anna", "bert"]
    assert run("user", "add", "anna", "--password-file", str(secret))[0] == ExitCode.FAILED
    code, _, err = run("user", "remove", "anna")
    assert (code, "last administrator" in err) == (ExitCode.FAILED, True)
    preview = run("user", "remove", "bert", "--preview", "--json")[1]
    assert {each["place"]: each["count"] for each in preview}["account"] == 1
    assert User.objects.count() == 2
    assert run("user", "remove", "bert")[0] == 0
    assert [u.username for u in User.objects.all()] == ["anna"]
    entries = [(e.action, e.object) for e in AuditEntry.objects.exclude(action="user.role").order_by("id")]
    assert entries == [("user.add", "user:anna"), ("user.add", ""), ("user.remove", "")]
    assert all(e.actor.startswith("cli:") for e in AuditEntry.objects.exclude(salt=""))


def test_roles_are_given_in_the_house_and_in_organisations(house, run, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    code, _, err = run("user", "add", "anna", "--role", "queen", "--password-file", str(secret))
    assert (code, "contributor" in err) == (ExitCode.FAILED, True)
    assert not User.objects.exists()
    assert run("user", "add", "anna", "--role", "editor", "--password-file", str(secret))[0] == 0
    assert run("organisation", "add", "trees", "--title", "The trees' office")[0] == 0
    assert run("organisation", "add", "trees")[0] == ExitCode.FAILED
    assert run("organisation", "add", "no such word")[0] == ExitCode.FAILED
    assert run("user", "role", "anna", "steward", "--organisation", "trees")[0] == 0
    assert run("user", "role", "anna", "administrator", "--organisation", "trees")[0] == ExitCode.FAILED
    assert run("user", "role", "anna", "steward", "--organisation", "water")[0] == ExitCode.NOT_FOUND
    listed = run("user", "list", "--json")[1][0]
    assert (listed["role"], listed["organisations"]) == ("editor", {"trees": "steward"})
    assert run("organisation", "list", "--json")[1] == [
        {"id": "trees", "title": "The trees' office", "people": {"anna": "steward"}}
    ]
    assert run("user", "role", "anna", "none", "--organisation", "trees")[0] == 0
    assert run("user", "role", "anna", "none")[0] == ExitCode.FAILED
    assert run("user", "role", "anna", "administrator")[0] == 0
    assert User.objects.get().is_superuser
    assert run("user", "role", "anna", "reader")[0] == ExitCode.FAILED  # nobody would be left
    assert run("organisation", "remove", "trees")[0] == 0
    assert run("organisation", "list", "--json")[1] == []


def test_accounts_are_closed_opened_and_mended(house, run, tmp_path, monkeypatch):
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    run("user", "add", "anna", "--password-file", str(secret))
    anna = User.objects.get()
    Authenticator.objects.create(user=anna, type="totp", data={"secret": "x"})
    assert run("user", "forget-factors", "anna", "--json")[1]["deleted"] == 1
    secret.write_text("short")
    assert run("user", "password", "anna", "--password-file", str(secret))[0] == ExitCode.FAILED
    secret.write_text("quite another long river")
    assert run("user", "password", "anna", "--password-file", str(secret))[0] == 0
    assert User.objects.get().check_password("quite another long river")
    assert run("user", "close", "anna")[0] == 0
    assert run("user", "list", "--json")[1][0]["state"] == "closed"
    assert run("user", "open", "anna")[0] == 0
    assert User.objects.get().is_active
    assert run("user", "invite")[0] == ExitCode.FAILED
    monkeypatch.setenv("ALLMENDE_REGISTRATION", "invited")
    assert "/accounts/invitation/" in run("user", "invite", "--role", "editor", "--json")[1]["link"]


@pytest.mark.parametrize("password", ["short", "password1234", ""])
def test_a_weak_password_is_refused(house, run, monkeypatch, password):
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    assert run("user", "add", "anna")[0] == ExitCode.FAILED
    assert not User.objects.exists()


def test_mosquitto_knows_the_tokens_from_a_file(house, run, tmp_path):
    """The real one: with its own plug-in for passwords and no other."""
    import paho.mqtt.client as paho
    from tests.mosquitto import Mosquitto

    made = {name: run("token", "create", name, "--write", "--json")[1]["token"] for name in ("gate", "old", "a:b")}
    eye = run("token", "create", "eye", "--json")[1]["token"]
    run("token", "revoke", "old")
    file = tmp_path / "passwords"
    code, told, err = run("token", "passwords", str(file), "--json")
    assert (code, told["written"], told["left_out"], "a:b" in err) == (0, 1, ["a:b"], True)
    assert made["gate"] not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    broker = Mosquitto(tmp_path / "broker")
    broker.settings.write_text(
        broker.settings.read_text().replace("allow_anonymous true", f"allow_anonymous false\npassword_file {file}")
    )
    broker.start()
    try:
        tried = {("gate", made["gate"]): 0, ("gate", made["old"]): 135, ("old", made["old"]): 135, ("eye", eye): 135}
        for (name, secret), expected in tried.items():
            answers: list[int] = []
            client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
            client.on_connect = lambda _client, _data, _flags, reason, _more, got=answers: got.append(reason.value)
            client.username_pw_set(name, secret)
            client.connect("127.0.0.1", broker.port)
            while not answers:
                client.loop(0.1)
            client.disconnect()
            assert answers == [expected], name
    finally:
        broker.stop()
    run("token", "revoke", "gate")
    run("token", "passwords", str(file))
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("", 0o644)


def test_a_token_is_shown_once(house, run):
    code, made, _ = run("token", "create", "gate", "--write", "--days", "3", "--dataset", "closed", "--json")
    assert code == 0
    assert (made["write"], made["datasets"]) == (True, ["closed"])
    assert made["expires"] is not None
    token = Token.objects.get()
    assert (token.datasets, token.writes, token.publishes) == (["closed"], ["closed"], True)
    assert "token" not in run("token", "list", "--json")[1][0]
    assert made["token"] not in run("token", "list")[1]
    code, out, err = run("token", "create", "eye")
    assert out.startswith("allmende_")
    assert "this once" in err
    assert not Token.objects.get(name="eye").may_write
    assert run("token", "create", "eye")[0] == ExitCode.FAILED
    assert run("token", "revoke", "gate", "--json")[1]["revoked"] is not None


# --- how it ends


def test_each_error_has_its_code():
    for error, code in (
        (ConfigurationError("x"), 3),
        (AlreadyRunning("x"), 6),
        (NotFound("x"), 4),
        (StorageFull("x"), 5),
        (StorageBusy("x"), 5),
        (InvalidInput("x"), 1),
        (ValueError("x"), 1),
        (KeyboardInterrupt(), 130),
    ):
        assert code_of(error) == code
    assert set(MEANINGS) == set(ExitCode)


def test_every_command_stands_in_the_reference():
    done = subprocess.run(
        [sys.executable, "tools/command_page.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name, command in commands().items():
        assert "--json" in [option for p in command.params for option in p.opts], name
        assert all(p.help for p in command.params), name
        assert command.help


# --- the database


def test_a_recount_sets_right_what_is_known_of_streams(house, run, tmp_path):
    run("import", "feed", write(tmp_path / "a.csv", "a,1,5", "a,2,6", "b,1,1"))
    assert run("database", "recount", "--json")[1] == {"streams": 2, "mended": []}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stream_state SET count = 9 WHERE datastream = (SELECT min(pk) FROM datastream)")
    code, told, _ = run("database", "recount", "--json")
    assert (code, told["streams"], len(told["mended"])) == (0, 2, 1)
    assert sorted(latest.count for latest in house.latest(house_reader("test"))) == [1, 2]
    assert AuditEntry.objects.filter(action="recount").latest("id").detail == {"looked": 2, "mended": 1}
