"""A throw-away house for measuring."""

import gzip
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORDING = (
    Path(os.environ.get("ALLMENDE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    / "parking"
    / "jena_free_2023-11-07_2024-04-30.csv.gz"
)


def open_house() -> tuple[Any, Any, Path]:
    """A migrated house with Jena's profile in a folder of its own: (intake, store, its database)."""
    home = Path(tempfile.mkdtemp(prefix="allmende-bench-"))
    os.environ.update(ALLMENDE_HOME=str(home), ALLMENDE_CITY="jena", DJANGO_SETTINGS_MODULE="allmende.web.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from allmende.web.house import furnish, open_profile, open_store
    from allmende.web.intake import Intake

    call_command("migrate", verbosity=0)
    store = open_store()
    furnish(store, open_profile())
    return Intake(store, open_profile(), settings.ALLMENDE), store, settings.ALLMENDE.database_path


def recording() -> Path:
    """The recorded car parks, or rows of the same shape where they are missing."""
    if RECORDING.exists():
        return RECORDING
    print("captured data is not here: measuring made rows of the same shape")
    made = Path(tempfile.mkdtemp(prefix="allmende-bench-")) / "made.csv.gz"
    places = ["Eichplatz", "Holzmarkt", "Krautgasse", "Windberg", "Neue-Mitte"]
    with gzip.open(made, "wt") as file:
        file.write("timestamp,place_id,free\n")
        for minute in range(35_307):
            stamp = (
                f"2024-{1 + minute // 6000:02d}-{1 + minute // 250 % 24:02d}T{minute // 15 % 16:02d}:{minute % 15:02d}"
            )
            file.writelines(f"{stamp}:02+00:00,mobilitaet-jena-{p},{minute % 70}\n" for p in places)
    return made


def report(name: str, ours: list[float], raw: list[float], unit: str, **more: Any) -> None:
    """One line for people and one for machines: medians, and the median of the ratios run by run."""
    ratios = [a / b for a, b in zip(ours, raw, strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"{name}: {statistics.median(ours):,.0f} {unit}, raw limit {statistics.median(raw):,.0f} {unit},"
        f" ratio {ratio:.2f} (from {min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} runs)"
    )
    print(json.dumps({"name": name, "ours": ours, "raw": raw, "unit": unit, "ratio": ratio, **more}))
