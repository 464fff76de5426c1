"""Measure the page of a release: how long a large one takes, how large it is, and what a rehearsal pays for its own.

    python -m bench.report [TRIES]

The large release has 200 files on two surfaces, each file tested. Its page is made and written in a new process each
time; the time begins with the import of what makes pages, and ends when the file is on disk. Reading the surfaces,
which `unmoor report` does before, is no part of it: that takes as long as `unmoor status`.

The example of this repository is rehearsed without images, with and without a report, in turns: once each without
counting, then TRIES times (default 5). The limit is for the share of a rehearsal's time in which its report is gathered
and written, measured in the rehearsal itself: it is far below what two rehearsals differ by. The medians of both are
printed beside it.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, environ, environment, run, table

LIMITS = {"seconds": 0.3, "bytes": 200_000, "share": 0.02}
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
PAGE = """
import json, pathlib, sys, time
from tests.support.release_reports import large_report
report = large_report(200)
begun = time.perf_counter()
from unmoor.filesystem.files import write_atomic
from unmoor.render.html import release_page
page = release_page.render(report).encode()
write_atomic(pathlib.Path(sys.argv[1]), page)
first = time.perf_counter() - begun
begun = time.perf_counter()
release_page.render(report)
print(json.dumps({"seconds": first, "again": time.perf_counter() - begun, "bytes": len(page)}))
"""
REHEARSAL = """
import json, pathlib, sys, time
begun, spent = time.perf_counter(), []
from unmoor.cli import ended_report, main, run_records
answer, with_report = pathlib.Path(sys.argv.pop(1)), sys.argv.pop(1) == "with"
def timed(function):
    def call(*arguments):
        since = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            spent.append(time.perf_counter() - since)
    return call
if with_report:
    ended_report.describe, run_records.write_page = timed(ended_report.describe), timed(run_records.write_page)
else:
    ended_report.times_of = lambda options: None
try:
    main()
finally:
    answer.write_text(json.dumps({"seconds": time.perf_counter() - begun, "report": spent}))
"""


def time_pages(scripts: Path, folder: Path, tries: int) -> list[dict[str, float]]:
    """Return how long the page took in each process, once more in the same one, and its size."""
    command: list[str | Path] = [scripts / "python", "-c", PAGE, folder / "report.html"]
    env = environ(scripts, PYTHONPATH=str(ROOT))
    return [json.loads(run(command, cwd=folder, env=env)) for _ in range(tries + 1)][1:]


def rehearse(scripts: Path, checkout: Path, *, with_report: bool) -> dict[str, Any]:
    """Rehearse once. Return the seconds of all, and those of each part of the report."""
    answer = checkout.parent / "answer.json"
    page = checkout / ".unmoor" / "rehearsal" / "report.html"
    page.unlink(missing_ok=True)
    which = "with" if with_report else "without"
    command: list[str | Path] = [scripts / "python", "-c", REHEARSAL, answer, which, "rehearse", "--without-images"]
    run(command, cwd=checkout, env=environ(scripts))
    if page.exists() != with_report:
        sys.exit(f"a rehearsal {which} a report: {page} {'exists' if page.exists() else 'is missing'}")
    found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    return found


def project(folder: Path) -> Path:
    """Make a git repository of the example package, with a tag."""
    checkout = folder / "lighthouse"
    shutil.copytree(ROOT / "examples" / "lighthouse", checkout, ignore=shutil.ignore_patterns(".unmoor"))
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Begin"], ["tag", "v1.0.0"]):
        run(["git", *IDENTITY, *command], cwd=checkout)
    return checkout


def main() -> int:
    """Measure and print two tables. Return 1 if a limit is exceeded."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    ours = environment("unmoor", str(ROOT))
    with tempfile.TemporaryDirectory(prefix="unmoor-bench-") as temporary:
        pages = time_pages(ours, Path(temporary), tries)
        checkout = project(Path(temporary))
        taken: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for attempt in range(tries + 1):
            for with_report, every in taken.items():
                found = rehearse(ours, checkout, with_report=with_report)
                if attempt:  # the first run fills the caches
                    every.append(found)
    first, again = (statistics.median(page[name] for page in pages) for name in ("seconds", "again"))
    medians = {which: statistics.median(each["seconds"] for each in found) for which, found in taken.items()}
    share = statistics.median(sum(each["report"]) / each["seconds"] for each in taken[True])
    measured = {"seconds": first, "bytes": pages[0]["bytes"], "share": share}
    rows = [
        ("made and written", f"{first:.3f} s", f"{LIMITS['seconds']} s"),
        ("made again in the same process", f"{again:.3f} s", ""),
        ("size", f"{measured['bytes'] / 1000:.0f} kB", f"{LIMITS['bytes'] / 1000:.0f} kB"),
    ]
    table(("page of 200 files", "", "at most"), rows)
    print()
    rows = [
        ("without a report", f"{medians[False]:.2f} s", ""),
        ("with a report", f"{medians[True]:.2f} s", ""),
        ("of its time for the report", f"{share:.1%}", f"{LIMITS['share']:.0%}"),
    ]
    table(("rehearsal", "", "at most"), rows)
    broken = [name for name, most in LIMITS.items() if measured[name] > most]
    for name in broken:
        print(f"{name}: {measured[name]:.3g}, and at most {LIMITS[name]:g} on an idle machine")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
