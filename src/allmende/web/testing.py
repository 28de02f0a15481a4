"""For the tests of services that come as packages of their own: a house to try them in, and what to look for there.

``conftest.py`` of such a package calls :func:`use_town`, pytest-django does the rest.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def use_town(*services: str) -> Path:
    """Let the tests of this process live in the bundled example city with these services switched on too; gives its
    folder, which goes with the process. To be called before Django reads its settings.

    Raises ConfigurationError where the example city is not installed.
    """
    from allmende.web.profiles import FILE_NAME, find_profile

    root = Path(tempfile.mkdtemp(prefix="allmende-test-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    (root / "home").mkdir()
    city = root / "city"
    shutil.copytree(find_profile("example").parent, city)
    with (city / FILE_NAME).open("a", encoding="utf-8") as file:
        file.writelines(f"\n[services.{name}]\n" for name in services)
    for name in [name for name in os.environ if name.startswith("ALLMENDE_")]:
        del os.environ[name]
    os.environ |= {
        "ALLMENDE_HOME": str(root / "home"),
        "ALLMENDE_CITY": str(city),
        "ALLMENDE_DISK_FLOOR": "0",
        "ALLMENDE_RATE_LIMIT": "0",
        "DJANGO_SETTINGS_MODULE": "allmende.web.settings",
    }
    return city


def audit_log() -> list[tuple[str, str, str]]:
    """Who did what to what, the oldest first."""
    from allmende.web.accounts.models import AuditEntry

    return list(AuditEntry.objects.order_by("id").values_list("actor", "action", "object"))


def furnish_town() -> None:
    """Let the tests' database know the datasets of the city, as a house does when it starts."""
    from allmende.web.house import furnish, open_profile, open_store

    furnish(open_store(), open_profile())


def run_job(service: str, name: str) -> None:
    """Run one of a service's jobs once, as the worker would; what it raises comes through. Raises KeyError."""
    from allmende.web.house import house_for_job
    from allmende.web.worker.services import key_of, service_jobs

    jobs = {key_of(found, job): job for found, job in service_jobs()}
    key = f"{service}/{name}"
    jobs[key].run(house_for_job(key))
