"""What the pages and feeds of the driver's list have in common: the question, the board, and the answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest

from allmende.city.house import house_of
from allmende.city.parking import read
from allmende.city.parking.board import Board
from allmende.city.parking.drivers.asking import Asked, read_question
from allmende.city.parking.drivers.gathering import Found, gather
from allmende.city.parking.drivers.places import Places, What, is_counted
from allmende.city.parking.drivers.words import Group, group, tell
from allmende.city.parking.now import states_at
from allmende.city.parking.present import Row, present
from allmende.city.parking.state import SiteState

MOST = 200
"""Sites that a list or a map tells at once, beside the car parks of a list where nothing was asked."""


class Shown(NamedTuple):
    """The board, and the answer where something was asked."""

    board: Board
    """The car parks, or what was looked for."""
    rows: list[Row]
    """In the order in which they are told."""
    below: list[Row]
    """What stands below them where nothing was asked: zones, areas and bays."""
    silent: list[Row]
    """The same of car parks whose spaces nobody counts."""
    more: int
    """How many sites are not told."""
    also: dict[What, int]
    """How many sites there are for what else one may look for."""
    disabled: int
    """How many have spaces for people with a disability."""
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
    kind = read.shown_kind(house.profile)
    states = states_at(house, now)
    there = Places(states, board=kind)
    also, disabled = there.count(), there.disabled()
    if not asked.given:
        parks = there.parks()
        board = read.board_of(filter(is_counted, parks), now)
        rows = [present(park, now) for park in board.car_parks]
        below = _rows(there.top(), now)
        silent = _rows([state for state in parks if not is_counted(state)], now)
        more = max(0, len(below) - MOST) + max(0, len(silent) - MOST)
        return Shown(board, rows, below[:MOST], silent[:MOST], more, also, disabled, asked, {}, [], _real(states))
    chosen = there.choose(asked.what, asked.wish.needs)
    answer = gather(house, chosen, asked.wish, asked.place)
    more = max(0, len(answer) - MOST)
    found = {each.state.site.id: each for each in answer[:MOST]}
    board = read.board_of([each.state for each in found.values()], now)
    row_of = {park.id: present(park, now) for park in board.car_parks}
    rows = [row_of[key] for key in found]
    told = [(row, tell(found[row.park.id], asked.wish)) for row in rows]
    return Shown(board, rows, [], [], more, also, disabled, asked, found, group(told), _real(states))


def _rows(states: Sequence[SiteState], now: datetime) -> list[Row]:
    return [present(park, now) for park in read.board_of(states, now).car_parks]


def _real(states: Sequence[SiteState]) -> dict[str, str]:
    return {state.site.id: state.site.stands_for for state in states}
