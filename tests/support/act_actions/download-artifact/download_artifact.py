"""Copy the files of artifacts into a folder: those of one name, or those of a pattern."""

import os
import shutil
import sys
from pathlib import Path

artifacts, name = Path(os.environ["ARTIFACTS"]), os.environ["NAME"]
into = Path(os.environ["GITHUB_WORKSPACE"]) / os.environ["INTO"]
found = [artifacts / name] if name else sorted(artifacts.glob(os.environ["PATTERN"] or "*"))
if name and not found[0].is_dir():
    sys.exit(f"Unable to find an artifact with the name: {name}")
for each in found:
    apart = not name and os.environ["MERGE"] != "true"
    shutil.copytree(each, into / each.name if apart else into, dirs_exist_ok=True)
