"""`python -m allmende`."""

import sys

from allmende.web.cli import main

sys.exit(main())
