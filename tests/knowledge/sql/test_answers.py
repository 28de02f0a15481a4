"""What is asked is answered: tables, types, times, limits of the answer, and where it comes from."""

import msgspec
import pytest

from allmende.knowledge.sql.job import Answer, Trouble
from allmende.knowledge.sql.views import OpenData, plain_name, used, views
from tests.knowledge.sql.conftest import HOUR, MIDNIGHT, Ask


def rows(answer: Answer | Trouble) -> list[list[object]]:
    assert isinstance(answer, Answer), answer
    return msgspec.json.decode(answer.rows)


def test_each_table_is_there_and_joined_with_what_is_said_of_it(ask: Ask) -> None:
    [said] = rows(ask("""
        SELECT (SELECT list(name ORDER BY name) FROM (SHOW TABLES)),
          (SELECT count(*) FROM observations WHERE dataset = 'parking-lots' AND thing = 'Gate' AND unit = '1'),
          (SELECT max(result) FROM parking_lots), (SELECT any_value(lon) FROM things),
          (SELECT any_value(properties->>'$.genus') FROM features WHERE id = 't2'),
          (SELECT any_value(lat) FROM trees), (SELECT list(title ORDER BY dataset) FROM datasets)
    """))  # fmt: skip
    names = '["datasets","features","observations","parking_lots","streams","things","trees"]'
    assert said == [names, 30, 23.0, 11.5, "Tilia", 50.9, '["Lots\'; DROP TABLE x; --","Trees"]']


def test_times_go_by_the_citys_clock_also_on_the_day_that_lacks_an_hour(ask: Ask) -> None:
    answer = ask("""
        SELECT date_trunc('day', time) AS day, count(*), count(*) FILTER (hour(time) = 2)
        FROM parking_lots GROUP BY day ORDER BY day
    """)
    assert rows(answer) == [[MIDNIGHT, 23, 0], [MIDNIGHT + 23 * HOUR, 7, 1]]
    assert [column.kind for column in answer.columns] == ["instant", "integer", "integer"]
    assert answer.tables == ["parking_lots"]


def test_every_type_has_a_plain_form(ask: Ask) -> None:
    answer = ask("""
        SELECT 1 AS a, 2 AS a, 9223372036854775808::HUGEINT, 1.5::DECIMAL(4, 2), 'nan'::DOUBLE, true, 'ä€😀',
          DATE '2024-01-01', TIMESTAMPTZ 'infinity', INTERVAL 1 MONTH, [1, NULL], {'k': 'v'}, MAP {'k': 1},
          'x'::BLOB, NULL, (SELECT geometry FROM trees LIMIT 1),
          TIMESTAMP '2024-01-01 12:00', 5::UTINYINT, '{"a": 1}'::JSON
    """)
    assert rows(answer) == [[
        1, 2, "9223372036854775808", 1.5, None, True, "ä€😀", "2024-01-01", None, "1 month", "[1,null]", '{"k":"v"}',
        '{"k":1}', "x", None, '{"type":"Point","coordinates":[11.5,50.9]}', "2024-01-01 12:00:00", 5, '{"a": 1}',
    ]]  # fmt: skip
    assert len({column.name for column in answer.columns}) == 19


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; -- over",
        "SELECT 1 /* ; */;",
        "-- first\nFROM (VALUES (1)) t(x);;",
        "SELECT ';' IS NOT NULL AND 1 = 1 -- a;b",
    ],
)
def test_comments_and_semicolons_may_stand_where_they_like(ask: Ask, query: str) -> None:
    assert rows(ask(query)) in ([[1]], [[True]])


def test_other_ways_to_ask(ask: Ask) -> None:
    assert rows(ask("DESCRIBE trees"))[0][0] == "id"
    assert rows(ask("SUMMARIZE trees"))[0][0] == "id"
    assert "Read Parquet" in rows(ask("EXPLAIN (FORMAT text) FROM trees"))[0][1]
    assert rows(ask("PIVOT trees ON genus IN ('Acer', 'Tilia') USING count(*) GROUP BY since"))[0][1:] == [2, 1]


def test_what_is_too_much_is_cut_and_said(ask: Ask) -> None:
    many = ask("FROM range(1000000000000)")
    assert (many.count, many.cut, rows(many)[-1]) == (1000, "rows", [999])
    wide = ask("SELECT repeat('x', 200000) FROM range(100)")
    assert (wide.count, wide.cut) == (5, "bytes")
    assert ask("FROM range(1000)").cut == ""


def test_a_house_without_data_has_the_tables_too(ask: Ask) -> None:
    names = ("observations", "streams", "things", "features", "datasets")
    counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in names)
    assert rows(ask(f"SELECT {counts}", [])) == [[0] * 5]


def test_mistakes_are_told_in_the_lines_of_the_question(ask: Ask) -> None:
    said = ask("SELECT 1,\n  nothing FROM trees")
    assert said.kind == "query"
    assert "LINE 2:" in said.words
    assert ask("SELEC 1").words.startswith("Parser Error")


def test_whose_data_an_answer_was_taken_from(data: list[OpenData], ask: Ask) -> None:
    listed = views(data)
    tables = ask("WITH x AS (FROM trees) SELECT * FROM x, (SELECT 1 FROM streams)").tables
    assert used(listed, "", tables) == {"trees", "parking-lots"}
    assert used(listed, "", ask("SELECT 'trees' FROM parking_lots").tables) == {"parking-lots"}
    hidden = "FROM query('FROM trees')"
    assert ask(hidden).tables is None
    assert used(listed, hidden, None) == {"trees"}


def test_names_are_words_of_sql_and_none_hides_another() -> None:
    assert [plain_name(id_) for id_ in ("weather-now", "2fast", "Ünde", "--")] == [
        "weather_now",
        "d_2fast",
        "nde",
        "data",
    ]
    said = {"title": "", "publisher": "", "licence": "", "licence_url": "", "attribution": "", "as_of": None}
    both = [
        OpenData(id="streams", **said, months=["/x"]),
        OpenData(id="trees", **said, months=["/x"], objects={"trees": "/y"}),
    ]
    assert [view.name for view in views(both)][-3:] == ["readings_streams", "trees", "objects_trees"]
