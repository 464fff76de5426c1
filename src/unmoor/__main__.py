"""Run the command line as ``python -P -m unmoor``, for example if the script ``unmoor`` is not on PATH.

Without ``-P``, Python searches the current folder first, for unmoor itself too, and a folder ``unmoor`` there would run
in its place. Everything else is searched without it.
"""

import sys

if not sys.flags.safe_path:
    del sys.path[0]

from unmoor.cli import main

main()
