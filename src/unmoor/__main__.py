"""``python -m unmoor``: the command line, where its script is not on PATH."""

import sys

from unmoor.cli import main

sys.exit(main())
