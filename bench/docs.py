"""Compare the time to put 500 pages onto a branch as the sixth version with that of `ghp-import` and its clone.

    python -m bench.docs [TRIES]

Each try gets a copy of a bare repository with five versions of 500 pages. unmoor gets the archive of the release, and
unpacks and compares it as well; `ghp-import` gets the pages in a folder, and a clone of the branch, as a job of CI has
to make one. Both push. They run in turns, once without counting, then TRIES times (default 5). Times are medians, in
seconds, as processes of the same machine.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from bench.measuring import ROOT, environ, environment, run, seconds, table

PAGES, VERSIONS, LIMIT = 500, 6, 1.2
THEIRS = "ghp-import==2.1.0"
DEPLOY = """
import sys
from pathlib import Path
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.pages import GitPages
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.deploy.docs.branch import BranchDeployment
from unmoor.deploy.docs.layout import Placement
checkout, archives, *versions = sys.argv[1:]
with Processes() as processes:
    git = GitCheckout(Path(checkout), LocalShell(processes=processes))
    deployment = BranchDeployment(pages=GitPages(checkout=git, remote="origin", branch="gh-pages"))
    for version in versions:
        archive = Path(archives, f"demo-{version}-docs.tar.gz")
        deployment.deploy(archive, Placement(folder=version, tree="", stable=True), title=version)
"""
PACK = """
import sys
from pathlib import Path
from unmoor.deploy.docs.archive import pack, pages_of
pack(pages_of(Path(sys.argv[1])), Path(sys.argv[2]), 1_700_000_000)
"""


def write_site(folder: Path, version: int) -> None:
    """Write the pages of a version, each of 8 kB, a third of which differs from the version before."""
    for number in range(PAGES):
        page = folder / f"part-{number % 20}" / f"page-{number}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        age = version if number % 3 == 0 else 0
        page.write_text("".join(f"<p>{age} {number} {line}</p>\n" for line in range(400)), "utf-8")
    (folder / "index.html").write_text(f"{version}\n", "utf-8")


def main() -> int:
    """Measure, print a table, and return 1 if unmoor takes longer than the limit."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    ours, theirs = environment("docs", str(ROOT)), environment("ghp-import", THEIRS)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for version in range(1, VERSIONS + 1):
            write_site(work / f"site-{version}", version)
            archive = work / f"demo-1.{version}-docs.tar.gz"
            run([ours / "python", "-c", PACK, work / f"site-{version}", archive], cwd=work)
        checkout, start = work / "checkout", work / "start.git"
        run(["git", "init", "--quiet", "--bare", start], cwd=work)
        run(["git", "-C", start, "config", "uploadpack.allowFilter", "true"], cwd=work)
        run(["git", "init", "--quiet", checkout], cwd=work)
        run(["git", "-C", checkout, "remote", "add", "origin", start], cwd=work)
        older = [f"1.{version}" for version in range(1, VERSIONS)]
        run([ours / "python", "-c", DEPLOY, checkout, work, *older], cwd=work)
        last = f"1.{VERSIONS}"
        remote, clone = work / "remote.git", work / "clone"
        run(["git", "-C", checkout, "remote", "set-url", "origin", f"file://{remote}"], cwd=work)
        script = work / "theirs.sh"
        script.write_text(
            "set -e\n"
            f"git clone --quiet --branch gh-pages file://{remote} {clone}\n"
            f"cd {clone}\ngit config user.name x\ngit config user.email x@localhost\n"
            f"{theirs / 'ghp-import'} --push --no-jekyll --prefix {last} {work / f'site-{VERSIONS}'}\n",
            "utf-8",
        )
        commands: dict[str, list[str | Path]] = {
            "ghp-import with its clone": ["bash", script],
            "unmoor": [ours / "python", "-c", DEPLOY, checkout, work, last],
        }
        times: dict[str, list[float]] = {each: [] for each in commands}
        for attempt in range(tries + 1):
            for each, command in commands.items():
                shutil.rmtree(remote, ignore_errors=True)
                shutil.rmtree(clone, ignore_errors=True)
                shutil.copytree(start, remote)
                took = seconds(command, cwd=work, env=environ())
                if attempt:
                    times[each].append(took)
    medians = {each: statistics.median(found) for each, found in times.items()}
    base, ours_took = medians.values()
    rows = [[each, f"{took:.2f}", f"{took / base:.2f}"] for each, took in medians.items()]
    table(["500 pages as the sixth version", "seconds", "ratio"], rows)
    return int(ours_took > LIMIT * base)


if __name__ == "__main__":
    raise SystemExit(main())
