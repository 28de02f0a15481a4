"""`python -m allmende`."""

from allmende.web.cli import main

main()
