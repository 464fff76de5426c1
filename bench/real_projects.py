"""Rehearse real projects as they are, each beside its own suite run with plain pip and pytest.

    python -m bench.real_projects [--repositories DIR] [--work DIR] [NAME ...]

Each project of `bench.project_list` is cloned at the commit of a release: from ``DIR/OWNER/NAME`` if there is such a
repository, else from its source distribution, which becomes a repository with one commit and the tag. Its suite first
runs in an environment made by hand, then ``unmoor rehearse --without-images`` runs without any setting. The table shows
both; a line is "wrong" if unmoor passes what pytest fails, or the other way round. Exits with 1 if a line is wrong.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from bench.measuring import UV, environ
from bench.project_list import PROJECTS, RealProject

TIMEOUT = 900
_IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
_COUNTS = ("tests", "failures", "errors", "skipped")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended. ``code`` is -1 if it took too long."""

    code: int
    out: str
    err: str
    seconds: float


def run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run a command with a time limit."""
    start = time.perf_counter()
    try:
        ran = subprocess.run(
            command, cwd=cwd, env=env or environ(), capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        code, out, err = ran.returncode, ran.stdout, ran.stderr
    except subprocess.TimeoutExpired:
        code, out, err = -1, "", f"longer than {TIMEOUT} s"
    return Ran(code=code, out=out, err=err, seconds=time.perf_counter() - start)


def checked(command: Sequence[str | Path], cwd: Path) -> None:
    """Run a command that must succeed. Raises ``RuntimeError`` with its output."""
    if (ran := run(command, cwd)).code != 0:
        raise RuntimeError(f"{shlex.join(map(str, command))}: {ran.out}{ran.err}")


def check_out(project: RealProject, repositories: Path | None, into: Path) -> str:
    """Put the project into a repository, at its release. Returns where it came from."""
    source = repositories / project.repository if repositories else None
    if source is not None and source.exists():
        checked(["git", "clone", "--quiet", source, into], into.parent)
        checked(["git", "checkout", "--quiet", "-B", "release", project.commit], into)
        return "repository"
    download = into.with_suffix(".sdist")
    wanted = f"{project.name}=={project.tag.lstrip('v')}"
    pip: list[str | Path] = [UV, "tool", "run", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    checked([*pip, "--dest", download, wanted], into.parent)
    with tarfile.open(next(download.glob("*.tar.gz"))) as archive:
        archive.extractall(download / "files", filter="data")
    next((download / "files").iterdir()).rename(into)
    for command in ("init --quiet", "add --all --force", "commit --quiet -m Release"):
        checked(["git", *_IDENTITY, *command.split()], into)
    checked(["git", *_IDENTITY, "tag", project.tag], into)
    return "sdist"


def plain(project: RealProject, checkout: Path, work: Path) -> tuple[Ran, str]:
    """Run the suite in an environment made by hand. Returns how pytest ended, and its counts."""
    folder = work / "plain"
    report = work / "plain.xml"
    checked([UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder], checkout)
    itself = f".[{project.extras}]" if project.extras else "."
    python = folder / "bin" / "python"
    checked([UV, "pip", "install", "--quiet", "--python", python, itself, *shlex.split(project.needs)], checkout)
    env = environ(folder / "bin", VIRTUAL_ENV=str(folder))
    ran = run([folder / "bin" / "pytest", f"--junitxml={report}", *shlex.split(project.pytest)], checkout, env)
    return ran, counts(report)


def counts(report: Path) -> str:
    """The counts of a JUnit XML file, such as "61 passed, 2 failed, 1 skipped"."""
    if not report.exists():
        return "no report"
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314  # written by the suite just run
    tests, failures, errors, skipped = (sum(int(each.get(name, 0)) for each in suites) for name in _COUNTS)
    named = {"passed": tests - failures - errors - skipped, "failed": failures, "errors": errors, "skipped": skipped}
    return ", ".join(f"{number} {name}" for name, number in named.items() if number) or "none"


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """How a rehearsal ended, and what it says of tests and notes."""

    ran: Ran
    tests: str
    notes: str
    tag: str
    error: str


def rehearse(checkout: Path, work: Path) -> Rehearsed:
    """Rehearse a release, without any setting."""
    unmoor = Path(sys.executable).parent / "unmoor"
    env = environ(XDG_STATE_HOME=str(work / "state"))
    ran = run([unmoor, "rehearse", "--without-images", "--json"], checkout, env)
    (work / "rehearsal.json").write_text(ran.out)
    (work / "rehearsal.log").write_text(ran.err)
    try:
        document: Mapping[str, Any] = json.loads(ran.out)
    except ValueError:
        return Rehearsed(ran=ran, tests="", notes="", tag="", error=ran.err.strip().splitlines()[-1] if ran.err else "")
    stages = {stage["name"]: stage for stage in document.get("stages", ())}
    warnings = [
        each["text"] for each in document.get("warnings", ()) if "not " in each["text"] or "test" in each["text"]
    ]
    error = document.get("error") or {}
    return Rehearsed(
        ran=ran,
        tests=" / ".join([stages.get("prove-dists", {}).get("text", ""), *warnings])[:300],
        notes=stages.get("notes", {}).get("text", ""),
        tag=str(document.get("tag", "")),
        error=str(error.get("what", error))[:1000] if error else "",
    )


def judge(project: RealProject, repositories: Path | None, work: Path) -> bool:
    """Try one project, and print its lines. Returns whether both agree."""
    work.mkdir(parents=True)
    checkout = work / project.name
    source = check_out(project, repositories, checkout)
    by_hand, counted = plain(project, checkout, work)
    checked(["git", "clean", "--quiet", "-xfd"], checkout)
    checked(["git", "checkout", "--quiet", "--", "."], checkout)
    ours = rehearse(checkout, work)
    agree = (by_hand.code == 0) == (ours.ran.code == 0)
    verdict = "ok" if agree else "WRONG"
    print(f"{verdict:<6}{project.repository} {project.tag} ({source})")
    print(f"      pytest: exit {by_hand.code} in {by_hand.seconds:.0f} s: {counted}")
    print(f"      unmoor: exit {ours.ran.code} in {ours.ran.seconds:.0f} s: {ours.tag}; {ours.tests}")
    print(f"      notes:  {ours.notes}")
    if ours.error:
        print(f"      error:  {ours.error}")
    sys.stdout.flush()
    return agree


def main() -> None:
    """Try the named projects, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=Path, metavar="DIR", help="repositories, as DIR/OWNER/NAME")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", required=True, help="an empty folder for checkouts and logs"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these projects")
    options = parser.parse_args()
    wrong = []
    for project in PROJECTS:
        if options.names and project.name not in options.names:
            continue
        try:
            agree = judge(project, options.repositories, options.work.absolute() / project.name)
        except RuntimeError as error:
            print(f"failed {project.repository}: {str(error)[:800]}")
            agree = False
        if not agree:
            wrong.append(project.name)
    print(f"wrong or failed: {', '.join(wrong) or 'none'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
