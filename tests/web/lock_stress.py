"""Started by test_sqlite_backend.py: one process with many threads that write and read. Prints counts as JSON."""

import json
import sys
import threading
import time

import django
from django.conf import settings

path, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
settings.configure(
    DATABASES={"default": {"ENGINE": "allmende.web.sqlite", "NAME": path, "OPTIONS": {"write_lock": f"{path}.turn"}}},
    INSTALLED_APPS=[],
    USE_TZ=True,
)
django.setup()

from django.db import connection, transaction  # noqa: E402

counts = {"writes": 0, "reads": 0, "errors": []}
guard = threading.Lock()
end = time.monotonic() + seconds


def work(number: int) -> None:
    writes = reads = 0
    try:
        while time.monotonic() < end:
            with connection.cursor() as cursor:
                if number % 4 == 0:
                    with transaction.atomic():
                        cursor.execute("SELECT count(*) FROM reading")
                        with transaction.atomic():
                            cursor.execute("INSERT INTO reading (value) VALUES (%s)", [number])
                        raw = connection.connection
                        raw.execute("INSERT INTO reading (value) VALUES (?)", (number,))
                    writes += 2
                elif number % 4 == 1:
                    cursor.execute("INSERT INTO reading (value) VALUES (%s) RETURNING id", [number])
                    assert cursor.fetchone()[0] > 0
                    writes += 1
                elif number % 4 == 2:
                    cursor.executemany("INSERT INTO reading (value) VALUES (%s)", [(number,), (number,)])
                    writes += 2
                else:
                    cursor.execute("SELECT max(id), count(*) FROM reading")
                    cursor.fetchone()
                    reads += 1
                    time.sleep(0.001)
    except Exception as error:
        with guard:
            counts["errors"].append(repr(error))
    finally:
        connection.close()
        with guard:
            counts["writes"] += writes
            counts["reads"] += reads


workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(json.dumps(counts))
