"""Writes the demo table of the invented town: two car parks, a plain daily curve, flatter at the weekend.

Nothing in it was measured; it has the columns of every demo table (``place,weekday,quarter,mean,spread``)::

    python tools/compute_example_demo.py [--out cities/example/demo_parking.csv]
"""

import argparse
import csv
import math
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAR_PARKS = {"parking-altmarkt": (0.15, 0.7, 12.0), "parking-hafen": (0.1, 0.5, 15.5)}
"""Occupancy at night, what the day adds, and the hour of the peak."""
WEEKEND = 0.6
WIDTH = 3.5
"""Hours from the peak at which about six tenths of it are left."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = ROOT / "cities" / "example" / "demo_parking.csv"
    parser.add_argument("--out", type=Path, default=default, help="default: %(default)s")
    options = parser.parse_args()
    with options.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["place", "weekday", "quarter", "mean", "spread"])
        for place, (night, day, peak) in CAR_PARKS.items():
            for weekday in range(7):
                for quarter in range(96):
                    share = day * (WEEKEND if weekday > 4 else 1) * math.exp(-(((quarter / 4 - peak) / WIDTH) ** 2) / 2)
                    writer.writerow([place, weekday, quarter, f"{night + share:.3f}", f"{0.02 + share / 8:.3f}"])
    print(f"{options.out}: {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
