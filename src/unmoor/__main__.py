"""Run the command line as ``python -m unmoor``, for example if the script ``unmoor`` is not on PATH."""

from unmoor.cli import main

main()
