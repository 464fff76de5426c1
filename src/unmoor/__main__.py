"""``python -m unmoor``: the command line, where its script is not on PATH."""

from unmoor.cli import main

main()
