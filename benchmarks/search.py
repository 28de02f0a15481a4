"""What search over a large catalogue costs: the house's index in memory, SQLite's FTS5, PostgreSQL's full text.

``python -m benchmarks search [--datasets 50000]``. Descriptions of seventy words are put together of German words by
chance (seeded), some words often and most of them seldom. All three get the same stems. The engines are asked without
facets: for whole stems (what they do not know is taken for a slip, and words that share trigrams with it are given),
and for parts of words by trigrams, without an order in PostgreSQL. Figures are processor seconds of this process for
the index and SQLite, and seconds for PostgreSQL, which works elsewhere.
"""

import argparse
import os
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from allmende.domain.catalogue import Catalogue, Distribution, Entry
from allmende.domain.dataset import DatasetProfile, Organisation
from allmende.domain.search.datasets import Question, make_index, search
from allmende.domain.search.words import split, stem
from benchmarks.served.database import installed, private_database

LINES = (
    "park platz baum straße verkehr zähl rad weg wasser luft güte messung lärm karte stadt teil bezirk schul kinder",
    "garten spiel haltestelle fahr plan bus bahn linie strom netz energie solar dach fläche nutzung boden richt wert",
    "grund stück haus halt rat beschluss sitzung protokoll wahl ergebnis bürger amt denkmal schutz gebiet natur wald",
    "brunnen pegel hoch regen wetter temperatur feuchte sensor daten satz statistik bevölkerung alter gruppe gewerbe",
    "betrieb steuer bau antrag genehmigung unfall kreuzung ampel laterne müll abfall sammlung stelle markt bibliothek",
    "museum theater sport halle bad kita pflege heim klinik praxis apotheke hotel flug hafen brücke tunnel baustelle",
)
WORDS = [word for line in LINES for word in line.split()]
VOCABULARY = 60_000
ASKED = ("Parkplatz", "Daten", "Bäume", "Karten des Wassers", "Brunnenwasserpegl")


def texts(count: int) -> Iterator[tuple[str, str]]:
    """Title and description."""
    chance = random.Random(7)
    known = {word.capitalize() for word in WORDS}
    while len(known) < VOCABULARY:
        parts = chance.choices(WORDS, k=chance.choice((2, 2, 3)))
        known.add(chance.choice(("", "s", "en")).join(parts).capitalize() + chance.choice(("", "e", "en", "s")))
    words = sorted(known)
    chance.shuffle(words)
    weights = list(accumulate(1 / (place + 3) for place in range(len(words))))
    for _ in range(count):
        found = chance.choices(words, cum_weights=weights, k=70)
        yield " ".join(found[:6]), " ".join(found[6:])


def catalogue(made: Sequence[tuple[str, str]]) -> Catalogue:
    """Described datasets of two hundred publishers."""
    owners = [Organisation(id=f"amt-{number}", name=f"Amt {number}") for number in range(200)]
    entries = [
        Entry(
            dataset=DatasetProfile(
                id=f"d-{number:06d}", title={"de": title}, description={"de": text}, publisher="", attribution="",
                licence=("CC0-1.0", "dl-de/by-2-0")[number % 2], themes=["TRAN", "ENVI"][: 1 + number % 2],
            ),
            address="", publisher=owners[number % 200], bbox=(11.5, 50.9, 11.6, 51.0),
            modified=f"2025-{number % 12 + 1:02d}",
            distributions=(Distribution(name="csv", title={}, address="", format="CSV"),),
        )
        for number, (title, text) in enumerate(made)
    ]  # fmt: skip
    return Catalogue(
        root="", title={}, description={}, languages=("de",), publisher=owners[0], contact=None, licence="",
        geocoding=(), contributor="", entries=tuple(entries), services=(), organisations={},
    )  # fmt: skip


def stems(text: str) -> str:
    """As the house stems them, so that all compare the same."""
    return " ".join(stem(word.text, "de") for word in split(text))


def tell(name: str, ask: Callable[[str], int], clock: Callable[[], float]) -> None:
    """The median of five of each question; the first one, which warms caches, is not counted."""
    for text in ASKED:
        count, taken = ask(text), []
        for _ in range(5):
            begin = clock()
            ask(text)
            taken.append(clock() - begin)
        print(f"  {name:>16}  {text:<20} {count:>7} found {sorted(taken)[2] * 1000:8.1f} ms")


def in_memory(made: Sequence[tuple[str, str]]) -> None:
    """The house's own, with facets and order and without."""
    known = catalogue(made)
    before, begin = _memory(), time.process_time()
    index = make_index(known, {})
    print(f"in memory: made in {time.process_time() - begin:.1f} s, {_memory() - before:.0f} MB more")
    tell("words", lambda text: len(index.search(text).scores), time.process_time)
    tell("facets, order", lambda text: len(search(known, index, Question(text=text), "de").entries), time.process_time)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fts5(stemmed: Sequence[tuple[str, str]], words: Sequence[str]) -> None:
    """SQLite, with a table of words for slips under the trigram tokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "search.sqlite"
        connection, begin = sqlite3.connect(path), time.process_time()
        connection.execute("CREATE VIRTUAL TABLE text USING fts5(title, description, content='')")
        connection.execute("CREATE VIRTUAL TABLE spelling USING fts5(word, tokenize='trigram')")
        connection.executemany("INSERT INTO text (title, description) VALUES (?, ?)", stemmed)
        inside = "CREATE VIRTUAL TABLE inside USING fts5(title, description, content='', tokenize='trigram')"
        connection.execute(inside)
        connection.executemany("INSERT INTO inside (title, description) VALUES (?, ?)", stemmed)
        connection.executemany("INSERT INTO spelling VALUES (?)", [(word,) for word in words])
        connection.commit()
        taken = time.process_time() - begin
        print(f"FTS5: filled in {taken:.1f} s without stemming, {os.path.getsize(path) / 1e6:.0f} MB")

        def parts(text: str) -> int:
            match = " AND ".join(f'"{one}"' for one in stems(text).split())
            sql = "SELECT rowid FROM inside WHERE inside MATCH ? ORDER BY bm25(inside, 16, 2)"
            return len(connection.execute(sql, (match,)).fetchall())

        def ask(text: str) -> int:
            match = " AND ".join(f'"{one}"' for one in stems(text).split())
            sql = "SELECT rowid FROM text WHERE text MATCH ? ORDER BY bm25(text, 16, 2)"
            found = connection.execute(sql, (match,)).fetchall()
            if found:
                return len(found)
            grams = " OR ".join(f'"{text[place : place + 3].lower()}"' for place in range(len(text) - 2))
            return len(
                connection.execute("SELECT word FROM spelling WHERE word MATCH ? LIMIT 200", (grams,)).fetchall()
            )

        tell("FTS5", ask, time.process_time)
        tell("FTS5, parts", parts, time.process_time)
        connection.close()


def postgresql(stemmed: Sequence[tuple[str, str]], words: Sequence[str]) -> None:
    """tsvector with weights under GIN, words for slips under pg_trgm."""
    tools = installed()
    if tools is None:
        print("PostgreSQL: not installed")
        return
    with private_database(tools) as database, database.connect() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        connection.execute("CREATE TABLE text (pk serial PRIMARY KEY, said tsvector, plain text)")
        connection.execute("CREATE TABLE word (word text PRIMARY KEY)")
        begin = time.perf_counter()
        with connection.cursor() as cursor:
            said = "setweight(to_tsvector('simple', %s), 'A') || setweight(to_tsvector('simple', %s), 'D')"
            rows = [(title, text, f"{title} {text}") for title, text in stemmed]
            cursor.executemany(f"INSERT INTO text (said, plain) VALUES ({said}, %s)", rows)
            cursor.executemany("INSERT INTO word VALUES (%s)", [(word,) for word in words])
        connection.execute("CREATE INDEX ON text USING gin (said)")
        connection.execute("CREATE INDEX ON text USING gin (plain gin_trgm_ops)")
        connection.execute("CREATE INDEX ON word USING gin (word gin_trgm_ops)")
        connection.execute("VACUUM ANALYZE")
        taken = time.perf_counter() - begin
        size: Any = connection.execute(
            "SELECT pg_total_relation_size('text') + pg_total_relation_size('word')"
        ).fetchone()
        print(f"PostgreSQL: filled in {taken:.1f} s without stemming, {size[0] / 1e6:.0f} MB")

        def ask(text: str) -> int:
            query = " & ".join(stems(text).split())
            sql = "SELECT pk FROM text, to_tsquery('simple', %s) q WHERE said @@ q ORDER BY ts_rank(said, q) DESC"
            found = connection.execute(sql, (query,)).fetchall()
            if found:
                return len(found)
            sql = "SELECT word FROM word WHERE word %% %s ORDER BY similarity(word, %s) DESC LIMIT 200"
            return len(connection.execute(sql, (text.lower(), text.lower())).fetchall())

        def parts(text: str) -> int:
            held = " AND ".join("plain LIKE %s" for _ in stems(text).split())
            sql = f"SELECT pk FROM text WHERE {held}"
            return len(connection.execute(sql, [f"%{one}%" for one in stems(text).split()]).fetchall())

        tell("PostgreSQL", ask, time.perf_counter)
        tell("pg_trgm, parts", parts, time.perf_counter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=50_000)
    made = list(texts(parser.parse_args().datasets))
    print(f"{len(made):,} datasets")
    in_memory(made)
    begin = time.process_time()
    stemmed = [(stems(title), stems(text)) for title, text in made]
    print(f"stems for the engines: {time.process_time() - begin:.1f} s")
    words = sorted({word.text.lower() for title, text in made for word in split(f"{title} {text}")})
    fts5(stemmed, words)
    postgresql(stemmed, words)


if __name__ == "__main__":
    main()
