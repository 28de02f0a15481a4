"""``service list``: the services of the city, those that could be switched on, and how jobs fare."""

from typing import Any

from allmende.domain.times import from_datetime
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
