"""``python -m allmende.city.parking.arrival RECORDING.csv --split 2024-04-01``: the table of issue 7."""

import os
import sys

# Read when numpy is first imported: many small products are slower on several threads, and a lesson is one processor's.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from allmende.city.parking.arrival.command import main

sys.exit(main())
