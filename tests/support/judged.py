"""A finished release to judge, and copies of it to plant violations in: stores of a real release, and made images."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.local_release import LocalRelease, small_repo, start_release
from tests.support.real_registries import BuiltImage, make_image

from unmoor.rehearsal.invariants.evidence import Evidence, Expected, RunEvidence, Violation
from unmoor.rehearsal.invariants.expectation import expect
from unmoor.rehearsal.invariants.final_state import FinalState
from unmoor.rehearsal.invariants.verdict import judge
from unmoor.util.values import replace

HOSTS = ("docker.io", "ghcr.io")
IMAGE = "acme/small"
WHEEL, SDIST = "small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"
SECRET = "s3cret/of+the+world?=="
COMMIT_TAG, VERSION_TAG, FLOATING = "sha-0123456789ab", "v1.0", ("1.0", "1", "latest")

Line = dict[str, Any]


@dataclass
class Judged:
    """A release that has ended. A test changes the files of ``folder`` and the fields, and then judges it.

    ``lines`` are those of the log of requests; ``runs`` count them: ``log_start`` and ``log_end`` are indexes here.
    """

    folder: Path
    expected: Expected
    baseline: FinalState
    lines: list[Line]
    runs: list[RunEvidence]
    secrets: tuple[str, ...] = (SECRET,)
    rebuilt: frozenset[str] = frozenset()
    since: int = 0

    @property
    def world(self) -> Path:
        """The folder of the world."""
        return self.folder / "world"

    def copy(self, folder: Path) -> Judged:
        """Copy it, to plant a violation."""
        shutil.copytree(self.folder, folder)
        lines, baseline = [dict(each) for each in self.lines], deepcopy(self.baseline)
        return Judged(folder, self.expected, baseline, lines, list(self.runs))

    def violations(self) -> tuple[Violation, ...]:
        """Write the log, and judge."""
        encoded = [json.dumps(each).encode() + b"\n" for each in self.lines]
        (self.world / "requests.jsonl").write_bytes(b"".join(encoded))
        at = [sum(map(len, encoded[:number])) for number in range(len(encoded) + 1)]
        runs = tuple(replace(run, log_start=at[run.log_start], log_end=at[run.log_end]) for run in self.runs)
        return judge(
            Evidence(
                world=self.world,
                remote=self.world / "remote.git",
                expected=replace(self.expected, since=at[self.since]),
                runs=runs,
                secrets=self.secrets,
                places=(self.folder / "run",),
                baseline=self.baseline,
                rebuilt=self.rebuilt,
            )
        )

    def broken(self) -> list[str]:
        """The invariants that are violated."""
        return sorted({each.invariant for each in self.violations()})

    def state(self) -> FinalState:
        """The state of the world as it is now, for what differs from the baseline on purpose."""
        return FinalState.of(self.world)

    def edit(self, path: str, change: Callable[[Any], object]) -> None:
        """Change a JSON file of the world."""
        file = self.world / path
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))

    def edit_page(self, change: Callable[[Any], object]) -> None:
        """Change the release page of the tag."""
        self.edit("forge/state.json", lambda state: change(state["releases"][-1]))

    def edit_asset(self, name: str, **changes: object) -> None:
        """Change what the forge says of an asset."""
        self.edit_page(lambda page: self.asset(page, name).update(changes))

    @staticmethod
    def asset(page: Any, name: str) -> dict[str, Any]:
        """An asset of a page."""
        found: dict[str, Any] = next(each for each in page["assets"] if each["name"] == name)
        return found

    def find(self, **facts: object) -> int:
        """The index of the last line of the log with these facts."""
        return max(at for at, line in enumerate(self.lines) if facts.items() <= line.items())

    def insert(self, at: int, *lines: Line) -> None:
        """Insert lines into the log, before an index. Runs that end after it get longer."""
        self.lines[at:at] = [{"at": self.lines[max(at - 1, 0)].get("at", 0.0)} | line for line in lines]
        self.runs = [
            replace(
                run,
                log_start=run.log_start + (len(lines) if run.log_start > at else 0),
                log_end=run.log_end + (len(lines) if run.log_end >= at else 0),
            )
            for run in self.runs
        ]

    def move(self, start: int, to: int) -> None:
        """Move a line of the log before another one."""
        line = self.lines[start]
        self.insert(to, line)
        self.remove(start + (1 if to <= start else 0))

    def remove(self, at: int) -> None:
        """Remove a line of the log."""
        del self.lines[at]
        self.runs = [
            replace(run, log_start=run.log_start - (run.log_start > at), log_end=run.log_end - (run.log_end > at))
            for run in self.runs
        ]

    def put_image(self, host: str, built: BuiltImage, *tags: str) -> None:
        """Write an image into the storage of a registry, with its tags."""
        root = self.world / "registry" / host / "storage/docker/registry/v2"
        blobs = {each.digest: each.data for each in (built.manifest,)}
        blobs |= {digest_of(data): data for data in (built.config, *built.layers)}
        for digest, data in blobs.items():
            write(root / "blobs/sha256" / digest[7:9] / digest[7:] / "data", data)
        manifests = root / "repositories" / IMAGE / "_manifests"
        digest = built.manifest.digest
        for folder in ("revisions", *(f"tags/{tag}/index" for tag in tags)):
            write(manifests / folder / "sha256" / digest[7:] / "link", digest.encode())
        for tag in tags:
            write(manifests / "tags" / tag / "current" / "link", digest.encode())


def digest_of(data: bytes) -> str:
    """The digest of a blob."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write(path: Path, data: bytes) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def put_line(host: str, reference: str, digest: str) -> Line:
    """The line of a manifest that a registry has taken."""
    path = f"/v2/{IMAGE}/manifests/{reference}"
    return {"server": "registry", "method": "PUT", "path": path, "status": 201, "host": host, "digest": digest}


def labelled(version: str, revision: str) -> BuiltImage:
    """An image of a version and a commit."""
    return make_image(f"{version} {revision}", version=version, revision=revision)


def make_judged(folder: Path) -> Judged:
    """Release into a local world in two runs, of which the index refuses the first, and add images."""
    with start_release(folder / "made", small_repo(folder / "small")) as place:
        control = place.world / "pypi" / "foreign"
        control.write_text("small-one")
        first = _run(place)
        control.unlink()
        runs = [first, _run(place)]
        (place.world / "forge" / "incoming").mkdir(exist_ok=True)
    assert [run.exit_code for run in runs] == [5, 0], [run.output for run in runs]
    kept = folder / "kept"
    shutil.copytree(place.world, kept / "world", ignore=lambda _folder, names: [n for n in names if n == "socket"])
    shutil.copytree(place.repo.path / ".unmoor", kept / "run")
    lines = place.requests()
    judged = Judged(kept, _bare(place), _empty(), lines, runs)
    _add_images(judged)
    judged.baseline = FinalState.of(judged.world)
    judged.expected = expect(
        judged.baseline,
        repository="acme/small",
        project="small-one",
        tag="v1.0",
        version="1.0",
        commit=judged.expected.commit,
    )
    return judged


def _run(place: LocalRelease) -> RunEvidence:
    start, begun = len(place.requests()), time.monotonic()
    ran = place.release()
    return RunEvidence(
        command=("unmoor", "release", "v1.0"),
        exit_code=ran.returncode,
        output=ran.stdout + ran.stderr,
        seconds=time.monotonic() - begun,
        deadline=600.0,
        log_start=start,
        log_end=len(place.requests()),
    )


def _bare(place: LocalRelease) -> Expected:
    commit = place.repo.git("rev-parse", "v1.0^{commit}")
    return Expected(repository="", project="", tag="", version="", commit=commit, files={})


def _empty() -> FinalState:
    return FinalState(indexes={}, pages={}, latest="", images={})


def _add_images(judged: Judged) -> None:
    """Put the image of the release where a release with images has it, in the stores and in the log."""
    built = labelled("1.0", judged.expected.commit)
    digest = built.manifest.digest
    for host in HOSTS:
        judged.put_image(host, built, COMMIT_TAG, VERSION_TAG, *FLOATING)
    published = judged.find(server="forge", method="PATCH", draft=False)
    judged.insert(published, *(put_line(host, tag, digest) for host in HOSTS for tag in (VERSION_TAG, *FLOATING)))
    # As if its files and images had been built before, and the images were part of it.
    output = judged.runs[0].output.replace("building the", "found the").replace("undraft,", "image-tags, undraft,")
    judged.runs[0] = replace(judged.runs[0], output=output)
    first = next(at for at, line in enumerate(judged.lines) if line["server"] == "pypi" and line["method"] == "POST")
    judged.insert(first, *(put_line(host, COMMIT_TAG, digest) for host in HOSTS))
