"""A small project with the workflows that are written for it, released by them into a local world."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import requests
from tests.support import sample_projects
from tests.support.act import Event, WorkflowRuns, secret_in
from tests.support.git_repos import Repo

from unmoor.config.real_world import HUB_TOKEN
from unmoor.config.settings import Settings
from unmoor.rehearsal import local
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.release import release_workflow
from unmoor.workflows.yaml_text import text_of

REPOSITORY = "acme/small"
TAG = "v1.0"
PUSH = Event(name="push", ref=f"refs/tags/{TAG}")
SETTINGS = f'\n[tool.unmoor]\nrepository = "{REPOSITORY}"\ntest-command = "python {{project}}/tests/check.py"\n'
_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, kw_only=True)
class Surfaces:
    """What everyone sees of a release, and its draft: the sha256 of each file by its name.

    ``attested`` are the files that an index serves with an attestation, and those about which the forge has one.
    """

    testpypi: Mapping[str, str]
    pypi: Mapping[str, str]
    draft: Mapping[str, str]
    public: Mapping[str, str]
    attested: frozenset[tuple[str, str]]

    @property
    def stable(self) -> Surfaces:
        """The same, with only the names of files that differ from run to run: signatures, and what names a run."""
        return Surfaces(
            testpypi=self.testpypi,
            pypi=self.pypi,
            draft=_without_random(self.draft),
            public=_without_random(self.public),
            attested=self.attested,
        )


def _without_random(files: Mapping[str, str]) -> dict[str, str]:
    return {
        name: "" if name.endswith((".sigstore.json", "manifest.json")) else sha256 for name, sha256 in files.items()
    }


@dataclass(frozen=True)
class ActRelease:
    """A repository, its world, and the runs of its workflows."""

    runs: WorkflowRuns
    repo: Repo

    @property
    def world(self) -> local.LocalWorld:
        """The world."""
        return self.runs.world

    def requests(self) -> list[dict[str, Any]]:
        """Every request that the servers of the world have answered."""
        log = self.world.folder / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def writes(self) -> list[dict[str, Any]]:
        """Those that changed something on a surface; notes that the forge generates change nothing."""
        written = [each for each in self.requests() if each["method"] in {"POST", "PUT", "PATCH", "DELETE"}]
        return [each for each in written if each["status"] < 300 and not each["path"].endswith("/generate-notes")]

    def surfaces(self) -> Surfaces:
        """Read the surfaces as they are now."""
        table = tomllib.loads(self.world.world_file.read_text())
        served = {
            name: self._served(table[part]["simple"]) for name, part in (("testpypi", "staging"), ("pypi", "index"))
        }
        forge = table["forge"]
        login = {"Authorization": f"Bearer {forge['token']}"}
        root = f"{forge['api']}/repos/{forge['repository']}"
        releases = requests.get(f"{root}/releases", headers=login, timeout=20).json()
        assert len(releases) <= 1
        assets: dict[bool, dict[str, str]] = {True: {}, False: {}}
        for each in releases:
            assets[each["draft"]] = {asset["name"]: asset["digest"].removeprefix("sha256:") for asset in each["assets"]}
        attested = {
            (index, name) for index, files in served.items() for name, file in files.items() if file["provenance"]
        }
        for name, sha256 in (assets[True] | assets[False]).items():
            answer = requests.get(f"{root}/attestations/sha256:{sha256}", headers=login, timeout=20)
            if answer.ok and answer.json()["attestations"]:
                attested.add(("forge", name))
        return Surfaces(
            testpypi={name: file["hashes"]["sha256"] for name, file in served["testpypi"].items()},
            pypi={name: file["hashes"]["sha256"] for name, file in served["pypi"].items()},
            draft=assets[True],
            public=assets[False],
            attested=frozenset(attested),
        )

    def _served(self, simple: str) -> dict[str, dict[str, Any]]:
        answer = requests.get(f"{simple}small-one/", headers={"Accept": _JSON}, timeout=20)
        return {each["filename"]: each for each in answer.json()["files"]} if answer.ok else {}


def pinned_tool() -> str:
    """The list that the jobs install from, as the environment of the tests is: what is there is not fetched again."""
    names = ("unmoor", "click", "requests", "twine", "uv")
    lines = (f"{name}=={metadata.version(name)} --hash=sha256:{'0' * 64}" for name in names)
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def start_act_release(
    folder: Path,
    workflows: Mapping[str, str],
    files: Mapping[str, str] | None = None,
    *,
    more: str = "",
    announce: Sequence[str] = (),
    deployments: Sequence[str] = (),
    installs: bool = False,
) -> Iterator[ActRelease]:
    """Start a world with a repository that has workflows, and whose indexes trust the environments of its jobs.

    ``more`` are settings; the world has the targets and the servers that they need. With ``installs`` each job asks
    pip for what it needs, which is there.
    """
    project = {
        **sample_projects.files(more=SETTINGS + more),
        "CHANGELOG.md": "# Changes\n\n## 1.0\n\n- It floats.\n",
        "tests/check.py": "import small_one\n\nassert small_one.main() == 0\n",
        ".github/unmoor/requirements.txt": pinned_tool(),
        **{f".github/workflows/{name}": text for name, text in workflows.items()},
        **(files or {}),
    }
    repo = Repo.new(folder / "origin", project)
    repo.git("tag", TAG)
    started = local.start(
        folder / "world",
        repository=REPOSITORY,
        checkout=repo.path,
        signing=True,
        announce=announce,
        deployments=deployments,
    )
    with started as world:
        for index in ("testpypi", "pypi"):
            publisher = {"project": "small-one", "repository": REPOSITORY, "workflow": "release.yml", "pending": True}
            (world.folder / index).mkdir(exist_ok=True)
            (world.folder / index / "publishers.json").write_text(json.dumps([{**publisher, "environment": index}]))
        (folder / "runs").mkdir()
        runs = WorkflowRuns(folder / "runs", world, REPOSITORY)
        runs.installs = installs
        runs.secrets = _secrets(tomllib.loads(world.world_file.read_text()))
        yield ActRelease(runs, repo)


def _secrets(world: Mapping[str, Any]) -> dict[str, str]:
    """The secrets that the deployments of the repository need, by the names of their variables."""
    targets = world.get("announce", {}).get("targets", {})
    found = {f"{name.upper()}_URL": secret_in(reference) for name, reference in targets.items()}
    return found | ({HUB_TOKEN: world["space"]["token"]} if "space" in world else {})


def release_text(settings: Settings | None = None) -> str:
    """The release workflow as it is written for the project."""
    return text_of(release_workflow(WorkflowFacts(settings=settings or Settings(), project="small-one")))
