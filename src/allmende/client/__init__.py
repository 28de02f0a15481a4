"""A client of a house's open interfaces, for scripts and notebooks::

    from allmende.client import House

    with House("https://daten.city.example") as house:
        for stream in house.streams(dataset="parking"):
            print(stream.name, stream.unit)
        table = house.observations("parking-goethe-galerie~free", start="2024-04-01", end="2024-05-01")
        table.frame()  # polars or pandas, where one of them is installed

It stands by itself: it needs httpx and nothing else of the house, so that it runs where the house does not.
"""

from allmende.client.errors import HouseError, Missing, NotNow, Refused, Unreachable, WrongInput
from allmende.client.house import House
from allmende.client.model import Dataset, Dump, Stream
from allmende.client.table import Source, Table

__all__ = [
    "Dataset", "Dump", "House", "HouseError", "Missing", "NotNow", "Refused", "Source", "Stream", "Table",
    "Unreachable", "WrongInput",
]  # fmt: skip
