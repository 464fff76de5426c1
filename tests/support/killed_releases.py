"""Releases that are killed: after the n-th line of their journal, or after the n-th write request to the world."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from tests.support import sample_projects
from tests.support.forked import MAIN, Forked, start
from tests.support.git_repos import Repo

from unmoor.cli.app import run
from unmoor.filesystem.files import write_atomic
from unmoor.products.sboms import SUFFIX
from unmoor.provenance.names import bundle_name, is_bundle
from unmoor.rehearsal import local
from unmoor.rehearsal.invariants.evidence import Evidence, RunEvidence
from unmoor.rehearsal.invariants.expectation import expect
from unmoor.rehearsal.invariants.final_state import FinalState
from unmoor.rehearsal.invariants.verdict import judge
from unmoor.util.values import replace

PATIENCE = 60.0
SETTINGS = '\n[tool.unmoor]\nrepository = "acme/small"\n'
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# The command line in a process that kills itself after a number of lines in the journal.
# First it writes down its child processes, including the reaper. They must end soon after.
_KILLED_AFTER_LINES = """
import os, signal, sys
from pathlib import Path
from unmoor.cli import main
from unmoor.core.journal import FileJournal

left = int(sys.argv.pop(1))
append = FileJournal._append

def append_and_die(self, line):
    global left
    append(self, line)
    left -= 1
    if not left:
        children = " ".join(each.read_text() for each in Path("/proc/self/task").glob("*/children"))
        Path(os.environ["TMPDIR"], "children").write_text(children)
        os.kill(os.getpid(), signal.SIGKILL)

FileJournal._append = append_and_die
main()
"""


@dataclass(frozen=True)
class RunningWorld:
    """A running local world."""

    folder: Path
    counted: Counter[str] = field(default_factory=Counter, repr=False)
    """How much of the log of requests `writes` has read, and how many writes that has."""

    @property
    def world_file(self) -> Path:
        """The world file."""
        return self.folder / "world.toml"

    def requests(self) -> list[dict[str, Any]]:
        """Return every request that its servers have answered."""
        log = self.folder / "requests.jsonl"
        # The last line may be incomplete while a server writes it.
        lines = log.read_text().splitlines(keepends=True) if log.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def writes(self) -> int:
        """Return the number of answered requests that change something. Reads only what is new: tests poll it."""
        log = self.folder / "requests.jsonl"
        if log.exists() and log.stat().st_size > self.counted["bytes"]:
            with log.open("rb") as stream:
                stream.seek(self.counted["bytes"])
                for line in stream:
                    if line.endswith(b"\n"):
                        self.counted["bytes"] += len(line)
                        self.counted["writes"] += json.loads(line)["method"] in _WRITES
        return self.counted["writes"]

    def logged(self) -> int:
        """Return the length of the log of requests in bytes."""
        log = self.folder / "requests.jsonl"
        return log.stat().st_size if log.exists() else 0

    @cached_property
    def _forge(self) -> dict[str, str]:
        return dict(tomllib.loads(self.world_file.read_text())["forge"])

    def releases(self, tag: str) -> list[dict[str, Any]]:
        """Return the release objects of a tag, including drafts."""
        answer = requests.get(
            f"{self._forge['api']}/repos/{self._forge['repository']}/releases",
            params={"per_page": "100"},
            headers={"Authorization": f"Bearer {self._forge['token']}"},
            timeout=10,
        )
        answer.raise_for_status()
        return [each for each in answer.json() if each["tag_name"] == tag]

    def digests(self, tag: str) -> dict[str, str]:
        """Return the sha256 of the files on the release object of a tag, empty while it has no manifest."""
        assets = {each["name"]: str(each["digest"]) for every in self.releases(tag) for each in every["assets"]}
        whole = "manifest.json" in assets
        return {n: d.removeprefix("sha256:") for n, d in assets.items() if whole and n.startswith("small_one")}


@dataclass(frozen=True, kw_only=True)
class KilledRelease:
    """A version of a small project, and its release into a world. ``tmpdir`` is the TMPDIR of its runs.

    ``span`` is where its runs begin and end in the log of requests, which other releases share.
    """

    world: RunningWorld
    repo: Repo
    version: str
    tmpdir: Path
    draft_digests: dict[str, str] = field(default_factory=dict)
    span: dict[str, int] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The tag of the version."""
        return f"v{self.version}"

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.repo.path / ".unmoor" / self.tag

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the version."""
        return f"small_one-{self.version}-py3-none-any.whl", f"small_one-{self.version}.tar.gz"

    def journal(self) -> str:
        """Return the text of the journal, empty if there is none yet."""
        journal = self.folder / "journal.jsonl"
        return journal.read_text() if journal.exists() else ""

    def start(self, *before: str, code: str = MAIN) -> Forked | subprocess.Popen[bytes]:
        """Start the release. ``code`` replaces the command ``unmoor``, and gets ``before`` as its first arguments."""
        self.tmpdir.mkdir(exist_ok=True)
        self.span.setdefault("start", self.world.logged())
        self._give_identity()
        with (self.tmpdir / "output").open("wb") as stream:
            return start(
                [*before, "release", "--world", str(self.world.world_file), self.tag],
                cwd=self.repo.path,
                env={**os.environ, "TMPDIR": str(self.tmpdir)},
                output=stream,
                err=stream,
                code=code,
            )

    def _give_identity(self) -> None:
        """Let the world's ID tokens be of a workflow run of this tag, so that the release is signed."""
        ref = f"refs/tags/{self.tag}"
        workflow = f"acme/small/.github/workflows/release.yml@{ref}"
        commit = self.repo.git("rev-parse", f"{ref}^{{commit}}")
        claims = {"ref": ref, "sha": commit, "workflow_ref": workflow, "job_workflow_ref": workflow}
        folder = self.world.folder / "issuer"
        folder.mkdir(exist_ok=True)
        write_atomic(folder / "claims.json", json.dumps(claims).encode())

    def output(self) -> str:
        """Return the output of the last run."""
        return (self.tmpdir / "output").read_text()

    def finish(self) -> int:
        """Run the release to its end, and return its exit code."""
        code = self.start().wait(PATIENCE)
        self.span["end"] = self.world.logged()
        return code

    def kill_after_lines(self, lines: int) -> int:
        """Run the release, which is killed after a number of lines in its journal. Return its exit code."""
        return self.start(str(lines), code=_KILLED_AFTER_LINES).wait(PATIENCE)

    def signal_when(self, reached: Callable[[], bool], number: signal.Signals | None = None) -> int:
        """Run the release, and kill it or send a signal when ``reached`` is true. Return its exit code.

        It may end before.
        """
        running = self.start()
        deadline = time.monotonic() + PATIENCE
        while running.poll() is None and not reached() and time.monotonic() < deadline:
            time.sleep(0.001)
        noted = " ".join(_read_proc(each) for each in Path(f"/proc/{running.pid}/task").glob("*/children"))
        (self.tmpdir / "children").write_text(noted)
        running.kill() if number is None else running.send_signal(number)
        return running.wait(PATIENCE)

    def left_running(self, within: float = 10.0) -> list[int]:
        """Wait for the processes that a run started, and return those that are still running."""
        noted = self.tmpdir / "children"
        children = [int(word) for word in noted.read_text().split()] if noted.exists() else []
        deadline = time.monotonic() + within
        while (
            left := [each for each in children if _runs(each)] + _with_tmpdir(self.tmpdir)
        ) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    def note_draft_digests(self) -> None:
        """Note the digests on a complete draft of a killed run. The release must have the same ones."""
        self.draft_digests.update(self.world.digests(self.tag))

    def check_surfaces(self) -> None:
        """Check that every surface holds the release once, with the digests of the first complete draft.

        For the main thread: the command line runs in this process.
        """
        stdout = io.StringIO()
        with contextlib.redirect_stdout(stdout):
            code = run(
                [
                    "status",
                    "--json",
                    "--directory",
                    str(self.repo.path),
                    "--world",
                    str(self.world.world_file),
                    self.tag,
                ]
            )
        assert code == 0, stdout.getvalue()
        digests = self.world.digests(self.tag)
        assert digests == {**digests, **self.draft_digests}
        signatures = {name for name in digests if is_bundle(name)}
        sboms = {name for name in digests if name.endswith(SUFFIX)}
        assert sboms == {f"{name}{SUFFIX}" for name in self.files if name.endswith(".whl")}
        assert signatures == {bundle_name(name) for name in (*self.files, *sboms)}
        digests = {name: digest for name, digest in digests.items() if name not in signatures | sboms}
        assert set(digests) == set(self.files)
        surfaces = {each["surface"]: _digests(each) for each in json.loads(stdout.getvalue())["surfaces"]}
        for name in ("testpypi", "pypi", "forge"):
            assert {file: surfaces[name].get(file) for file in self.files} == digests, name
        (release,) = self.world.releases(self.tag)
        assert not release["draft"]
        sent = [each for each in self.world.requests() if each.get("file") in self.files and each["server"] != "forge"]
        stored = sorted((each["server"], each["file"]) for each in sent if each["outcome"] == "stored")
        assert stored == sorted((index, file) for index in ("pypi", "testpypi") for file in self.files)
        assert judge(self._evidence(digests)) == ()

    def _evidence(self, digests: Mapping[str, str]) -> Evidence:
        """The runs of this version as one, for the judge."""
        world = self.world.folder
        expected = expect(
            FinalState.of(world),
            repository="acme/small",
            project="small-one",
            tag=self.tag,
            version=self.version,
            commit=self.repo.git("rev-parse", f"refs/tags/{self.tag}^{{commit}}"),
        )
        runs = RunEvidence(
            command=("unmoor", "release", self.tag),
            exit_code=0,
            output=self.output(),
            seconds=0.0,
            deadline=PATIENCE,
            log_start=self.span["start"],
            log_end=self.span.get("end", self.world.logged()),
        )
        return Evidence(
            world=world,
            remote=world / "remote.git",
            expected=replace(expected, files=dict(digests)),
            runs=(runs,),
            secrets=tuple(json.loads((world / "credentials.json").read_text()).values()),
            places=(self.folder, self.tmpdir),
            rebuilt=frozenset({"dists", "images"}),
        )


def _digests(surface: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each["seen"] for each in surface["items"]}


def _runs(process: int) -> bool:
    """Whether a process runs and is not a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _with_tmpdir(tmpdir: Path) -> list[int]:
    """Return the processes with this folder as their TMPDIR."""
    wanted, found = f"TMPDIR={tmpdir}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        # Ended processes and those of other users cannot be read.
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def repo_of_versions(path: Path, versions: Iterable[str]) -> Repo:
    """Create a repository of a small project with a commit and a tag for each version."""
    repo = Repo.new(path, {".gitignore": "", "tests/test_it.py": ""})
    for version in versions:
        changes = f"# Changes\n\n## {version}\n\n- It floats.\n"
        repo.commit(sample_projects.files("small-one", version, more=SETTINGS) | {"CHANGELOG.md": changes})
        repo.git("tag", f"v{version}")
    return repo


@contextmanager
def start_killed_releases(folder: Path, count: int) -> Iterator[tuple[KilledRelease, ...]]:
    """Start a world for a small project with a number of versions."""
    versions = [f"1.{number}" for number in range(1, count + 1)]
    repo = repo_of_versions(folder / "small", versions)
    with local.start(folder / "world", repository="acme/small", checkout=repo.path):
        world = RunningWorld(folder / "world")
        yield tuple(
            KilledRelease(world=world, repo=repo, version=each, tmpdir=folder / f"aside-{each}") for each in versions
        )


def _read_proc(place: Path) -> str:
    """Return the content of a file in /proc, empty if its thread has just ended."""
    try:
        return place.read_text()
    except OSError:
        return ""
