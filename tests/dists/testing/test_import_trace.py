"""The recorder of imports observes, and is hardly seen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from unmoor.dists.testing.import_trace import install_recorder, read_recording

PROGRAM = """
import json, site, sys
before, finders = set(sys.modules), list(sys.meta_path)
site.addsitedir(sys.argv[1])
added = [each.__name__ for each in sys.meta_path[: -len(finders)]]
print(json.dumps([sorted(set(sys.modules) - before - {"atexit"}), added]))
import one.sub
"""


def test_nothing_else_is_loaded(tmp_path: Path) -> None:
    """A Python that starts has one more module and one more finder, and what it imports is recorded with its place."""
    packages = tmp_path / "packages"
    (packages / "one").mkdir(parents=True)
    (packages / "one" / "sub.py").write_text("")
    install_recorder(packages, tmp_path / "log", ("one.sub", "two"))
    args = [sys.executable, "-S", "-c", PROGRAM, str(packages)]
    ran = subprocess.run(args, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [["_unmoor_witness"], ["Recorder"]]
    found = read_recording(tmp_path / "log", environment=packages, copy=tmp_path / "copy")
    assert (sorted(found.inside), found.copied) == (["one.sub"], ())
