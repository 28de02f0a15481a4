"""``service …``: the services of the city and how their jobs fare; making one, and looking at its shape."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from allmende.domain.errors import NotFound
from allmende.domain.service import Service
from allmende.domain.times import from_datetime
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.opened import open_house
from allmende.web.cli.output import age, print_json, print_table
from allmende.web.intake import now_micros


def list_services(as_json: bool) -> None:
    """Every service that a package offers, with the runs of its jobs."""
    house = open_house()
    from django.conf import settings

    from allmende.web.services import installed_services
    from allmende.web.worker.models import ServiceRun
    from allmende.web.worker.services import key_of, service_jobs

    runs = {run.job: run for run in ServiceRun.objects.all()}
    jobs: dict[str, list[dict[str, Any]]] = {}
    for service, job in service_jobs():
        run = runs.get(key_of(service, job))
        jobs.setdefault(service.name, []).append(
            {
                "name": job.name,
                "every": str(job.every),
                "began": run.began.isoformat() if run else None,
                "seconds": round(run.seconds, 3) if run else None,
                "failures": run.failures if run else 0,
                "error": run.error if run else "",
            }
        )
    on = {service.name: service for service in settings.SERVICES}
    every = {**installed_services(), **on}
    listed = [
        {"name": name, "address": f"/{found.prefix}", "on": name in on, "jobs": jobs.get(name, [])}
        for name, found in sorted(every.items(), key=lambda item: (item[0] not in on, item[0]))
    ]
    if as_json:
        print_json(listed)
        return
    states = {True: "on", False: "off: a table of its name under services in city.toml switches it on"}
    print_table(("service", "address", "state"), [[one["name"], one["address"], states[one["on"]]] for one in listed])
    now = now_micros()
    rows = []
    for name, its in jobs.items():
        for job in its:
            run = runs.get(f"{name}/{job['name']}")
            last = age(from_datetime(run.began), now) if run else "never"
            took = f"{run.seconds:.1f} s" if run else ""
            rows.append([f"{name}/{job['name']}", job["every"], last, took, job["error"]])
    if rows:
        print(f"\nJobs in {house.profile.name}:")
        print_table(("job", "every", "ran", "took", "trouble"), rows)


def new_service(name: str, folder: Path, ours: bool, as_json: bool) -> None:
    """Make a service's files, its catalogues compiled."""
    from allmende.web.catalogues import compile_catalogue
    from allmende.web.cli.service_skeleton import make_own_service, make_service

    made = (make_own_service if ours else make_service)(name, folder, date.today())  # noqa: DTZ011  a story's day
    made += [compile_catalogue(path) for path in made if path.suffix == ".po"]
    if as_json:
        print_json([str(path) for path in made])
        return
    for path in made:
        print(path)
    if ours:
        print(f'\nNow: {name} = "allmende.city.{name}" in pyproject.toml under allmende.services, its routes in')
        print(f"tests/policy/routes.py, [services.{name}] in a city, and `allmende service check {name}`")
    else:
        root = folder / f"allmende-{name.replace('_', '-')}"
        print(f"\nNow: pip install -e '{root}[test]', pytest {root}, `allmende service check {name}`,")
        print(f"and [services.{name}] in a city.toml switches it on")


def check_services(names: Sequence[str], as_json: bool) -> int:
    """Look at the shape of services, of all that are installed where none is named; 1 where something is wrong. Raises
    NotFound."""
    from allmende.web.services import installed_services

    installed = installed_services()
    for name in names:
        if name not in installed:
            raise NotFound(f"no installed package offers the service {name!r}; known: {', '.join(installed) or 'none'}")
    found = {name: _faults(installed[name]) for name in (names or installed)}
    if as_json:
        print_json([{"name": name, "ok": not faults, "faults": faults} for name, faults in found.items()])
    else:
        for name, faults in found.items():
            print(f"{'wrong' if faults else 'ok':<6} {name}")
            for fault in faults:
                print(f"       {fault}")
    return int(ExitCode.FAILED if any(found.values()) else ExitCode.OK)


def _faults(service: Service) -> list[str]:
    from allmende.web.cli.service_shape import faults
    from allmende.web.services import folders_of

    package = next(iter(folders_of(service.app)), None)
    return ["its package is not there"] if package is None else list(faults(service, package, _tests(service, package)))


def _tests(service: Service, package: Path) -> Path | None:
    """In the package, beside it, or where the services of this house have theirs."""
    places = [package / "tests", package.parent / "tests"]
    if service.app.startswith("allmende.city."):
        places = [parent / "tests" / "city" / service.name for parent in package.parents]
    return next((place for place in places if place.is_dir()), None)
