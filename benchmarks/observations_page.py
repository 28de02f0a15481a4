"""A page of a thousand observations, against the bare SQL with JSON encoding."""

import json
import sqlite3
import time

from benchmarks.setting import open_house, recording, report

RUNS = 7
PAGES = 40
STREAM = "parking-eichplatz~free"
SQL = (
    "SELECT id, phenomenon_start, result_time, result FROM observation WHERE datastream ="
    " (SELECT pk FROM datastream WHERE id = ?) ORDER BY phenomenon_start DESC, disc DESC LIMIT 1000"
)


def bare(connection: sqlite3.Connection) -> bytes:
    """The raw limit: four columns, the standard library's JSON."""
    rows = connection.execute(SQL, (STREAM,)).fetchall()
    value = [{"@iot.id": r[0], "phenomenonTime": r[1], "resultTime": r[2], "result": r[3]} for r in rows]
    return json.dumps({"value": value}).encode()


def main() -> None:
    intake, store, database = open_house()
    from allmende.domain.face import FaceLimits, Request
    from allmende.domain.policy import ANONYMOUS
    from allmende.faces.sensorthings.face import answer

    intake.take_file("jena-parking", recording())
    connection = sqlite3.connect(database, isolation_level=None)
    question = Request(
        method="GET",
        path=f"Datastreams('{STREAM}')/Observations",
        query="$top=1000&$orderby=phenomenonTime%20desc",
        root="http://127.0.0.1:8000/sta/v1.1",
        reader=ANONYMOUS,
        now=0,
    )
    limits = FaceLimits()
    size = len(answer(question, store, limits).body)
    ours, raw = [], []
    for _ in range(RUNS):
        begun = time.perf_counter()
        for _ in range(PAGES):
            answer(question, store, limits)
        ours.append(PAGES / (time.perf_counter() - begun))
        begun = time.perf_counter()
        for _ in range(PAGES):
            bare(connection)
        raw.append(PAGES / (time.perf_counter() - begun))
    report("observations page", ours, raw, "pages/s", bytes=size, bare_bytes=len(bare(connection)))


if __name__ == "__main__":
    main()
