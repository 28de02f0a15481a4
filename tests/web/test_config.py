"""Settings: safe defaults, and errors that name the variable, what is wrong and what would be right."""

import stat
from pathlib import Path

import pytest
from tests.support import ROOT

from allmende.domain.errors import ConfigurationError
from allmende.web.config import load_config, settings
from allmende.web.secrets import kept_secret


@pytest.fixture
def load(tmp_path):
    return lambda **environ: load_config({"ALLMENDE_HOME": str(tmp_path), **environ})


def test_a_house_runs_without_any_setting():
    config = load_config({})
    assert (config.host, config.port, config.home) == ("127.0.0.1", 8000, Path("var").absolute())
    assert config.embedded_broker
    assert config.database_path == Path("var/allmende.sqlite3").absolute()
    assert not config.debug


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PORT": "eight"}, ["PORT", "'eight'", "whole number"]),
        ({"PORT": "70000"}, ["PORT", "between 1 and 65535"]),
        ({"PORT": "1K"}, ["PORT", "bare number"]),
        ({"ALLMENDE_BODY_BYTES": "12"}, ["ALLMENDE_BODY_BYTES", "between 1024"]),
        ({"ALLMENDE_DEBUG": "perhaps"}, ["ALLMENDE_DEBUG", "yes nor no"]),
        ({"ALLMENDE_LOG_LEVEL": "loud"}, ["ALLMENDE_LOG_LEVEL", "debug, info, warning, error"]),
        ({"ALLMENDE_PAGE_SIZE": "5000"}, ["ALLMENDE_PAGE_SIZE", "ALLMENDE_PAGE_SIZE_MAX"]),
        ({"ALLMENDE_PAGESIZE": "5"}, ["ALLMENDE_PAGESIZE", "ALLMENDE_PAGE_SIZE?"]),
        (
            {"ALLMENDE_ANONYMOUS_WRITES": "1", "HOST": "0.0.0.0"},
            ["ALLMENDE_ANONYMOUS_WRITES", "token create"],
        ),
        ({"ALLMENDE_DATABASE_URL": "mysql://db"}, ["sqlite:///"]),
        ({"ALLMENDE_BROKER_URL": "broker:1883"}, ["ALLMENDE_BROKER_URL", "mqtts://"]),
        ({"ALLMENDE_SECURITY_CONTACT": "office@city.example"}, ["ALLMENDE_SECURITY_CONTACT", "mailto:"]),
        ({"ALLMENDE_SECRET_KEY": "short"}, ["ALLMENDE_SECRET_KEY", "32 characters"]),
        ({"ALLMENDE_SECRET_KEY_FILE": "/nowhere"}, ["ALLMENDE_SECRET_KEY_FILE", "cannot be read"]),
        ({"ALLMENDE_HUB_URL": "https://hub.example/api"}, ["ALLMENDE_PUBLIC_URL", "others reach the house"]),
        ({"PORT": "18830"}, ["ALLMENDE_MQTT_PORT", "taken by PORT"]),
    ],
)
def test_an_error_says_where_what_and_what_would_be_right(load, environ, words):
    with pytest.raises(ConfigurationError) as raised:
        load(**environ)
    for word in words:
        assert word in str(raised.value)


def test_an_error_never_shows_a_secret(load):
    with pytest.raises(ConfigurationError) as raised:
        load(ALLMENDE_BROKER_URL="http://user:hunter2@host")
    assert "hunter2" not in str(raised.value)


def test_a_secret_may_stand_in_a_file_but_not_in_both(load, tmp_path):
    file = tmp_path / "key"
    file.write_text("k" * 40 + "\n")
    assert load(ALLMENDE_SECRET_KEY_FILE=str(file)).secret_key == "k" * 40
    with pytest.raises(ConfigurationError, match="not both"):
        load(ALLMENDE_SECRET_KEY_FILE=str(file), ALLMENDE_SECRET_KEY="k" * 40)


def test_sizes_may_have_units(load):
    assert load(ALLMENDE_BODY_BYTES="2M").body_bytes == 2 * 1024 * 1024
    assert load(ALLMENDE_DISK_FLOOR="1G").disk_floor == 1024**3


def test_the_home_keeps_settings_and_the_environment_wins(load, tmp_path):
    (tmp_path / "config.toml").write_text('city = "jena"\nport = 9000\nallowed_hosts = ["a.example", "b.example"]\n')
    assert load().city == "jena"
    assert load().port == 9000
    assert load().allowed_hosts == ("a.example", "b.example")
    assert load(PORT="9001", ALLMENDE_CITY="example").port == 9001


def test_a_wrong_key_in_the_home_is_named(load, tmp_path):
    (tmp_path / "config.toml").write_text("prot = 9000\n")
    with pytest.raises(ConfigurationError, match=r"config\.toml.*'prot'"):
        load()


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    for setting in settings():
        assert f"`{setting.env}`" in page, f"{setting.env}: run tools/settings_page.py"
        assert setting.text in page.replace("\\|", "|"), f"{setting.env}: run tools/settings_page.py"


def test_a_kept_secret_is_made_once_for_its_owner_alone(tmp_path):
    first = kept_secret(tmp_path, "secret_key")
    assert len(first) >= 32
    assert kept_secret(tmp_path, "secret_key") == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_no_secret_is_left_where_there_is_no_home(tmp_path):
    assert kept_secret(tmp_path / "nowhere", "secret_key") != kept_secret(tmp_path / "nowhere", "secret_key")
    assert not (tmp_path / "nowhere").exists()
