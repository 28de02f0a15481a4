"""What the pages and feeds of the driver's list have in common: the question, the board, and the answer."""

from typing import NamedTuple

from django.http import HttpRequest

from allmende.city.house import house_of
from allmende.city.parking import read
from allmende.city.parking.board import Board
from allmende.city.parking.drivers.asking import Asked, read_question
from allmende.city.parking.drivers.gathering import Found, gather
from allmende.city.parking.drivers.words import Group, group, tell
from allmende.city.parking.now import states_at
from allmende.city.parking.present import Row, present


class Shown(NamedTuple):
    """The board, and the answer where something was asked."""

    board: Board
    rows: list[Row]
    """All of them, in the order in which they are told."""
    asked: Asked
    found: dict[str, Found]
    """By id; empty where nothing was asked."""
    groups: list[Group]
    """The same."""
    real: dict[str, str]
    """By id: the id of the real one, which stays where a simulation stands in."""


def look(request: HttpRequest) -> Shown:
    """The board now, and what it means for the question in the address."""
    house = house_of(request)
    asked = read_question(request)
    now = house.now()
    states = states_at(house, now, kinds=[read.shown_kind(house.profile)])
    board = read.board_of(states, now)
    rows = [present(park, now) for park in board.car_parks]
    by_id = {state.site.id: state for state in states}
    real = {key: state.site.stands_for for key, state in by_id.items()}
    if not asked.given:
        return Shown(board, rows, asked, {}, [], real)
    answer = gather(house, [by_id[row.park.id] for row in rows], asked.wish, asked.place)
    found = {each.state.site.id: each for each in answer}
    row_of = {row.park.id: row for row in rows}
    rows = [row_of[key] for key in found]
    told = [(row, tell(found[row.park.id], asked.wish)) for row in rows]
    return Shown(board, rows, asked, found, group(told), real)
