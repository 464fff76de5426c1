"""The stage ``prove-testpypi`` installs exactly the uploaded files, and takes nothing else from the staging index."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.stages.conftest import RELEASE, StageInputs
from tests.support import sample_projects
from tests.support.faulty_server import empty_index
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.advice import NextStep
from unmoor.artifacts.files import describe_file
from unmoor.core.stage import Output
from unmoor.errors import Cause, CheckFailed, Conflict, Incomplete, Unknown
from unmoor.ports.failure import failure
from unmoor.ports.index import Holding, Index, ListedFile
from unmoor.ports.world import IndexPlace, Login
from unmoor.products import Dists, Subject, Uploaded, Verdict
from unmoor.rehearsal import local
from unmoor.stages.prove_testpypi import ProveStaged
from unmoor.util.secret import Secret
from unmoor.util.values import replace

pytestmark = pytest.mark.journey  # real builds and environments, one after the other

MakeInputs = Callable[..., StageInputs]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PackageIndex]:
    """The staging index of a local world."""
    folder = tmp_path_factory.mktemp("world")
    with local.start(folder, repository="acme/demo", checkout=None) as world, BoundedSession() as http:
        token = json.loads((world.folder / "credentials.json").read_text())["testpypi"]
        root = world.addresses["testpypi"]
        place = IndexPlace(
            name="testpypi",
            upload=f"{root}/legacy/",
            simple=f"{root}/simple/",
            json=f"{root}/pypi/",
            page=f"{root}/project/{{project}}/{{version}}/",
            login=Login(username="__token__", secret=Secret(token), origin="a test"),
        )
        yield PackageIndex(place, http)


def stage(at: StageInputs, index: Index, **settings: Any) -> ProveStaged:
    """The stage, with the real uv."""
    given: dict[str, Any] = {"environments": at.uv, "folder": at.folder, "clock": FakeClock(), **settings}
    return ProveStaged(
        name="prove-testpypi",
        release=RELEASE,
        dists=Output("dists"),
        uploaded=Output("testpypi"),
        index=index,
        **given,
    )


def sent(at: StageInputs, index: PackageIndex) -> dict[str, Any]:
    """Build and upload; return the products that the stage needs."""
    dists = at.dists()
    for file in dists.files:
        index.send(file)
    files = tuple(Subject(name=file.name, sha256=file.sha256) for file in dists.files)
    return {"dists": dists, "testpypi": Uploaded(index="testpypi", files=files)}


@dataclass(frozen=True)
class LaggingIndex:
    """An index whose simple pages lag for some reads, or cannot be read."""

    real: Index
    looks: list[Holding | Unknown]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def holding(self, project: str, version: str) -> Holding:
        """Answer what was prepared, then the real state."""
        if not self.looks:
            return self.real.holding(project, version)
        look = self.looks.pop(0)
        if isinstance(look, Unknown):
            raise look
        return look


EMPTY = Holding(simple={}, json={})
NO_ANSWER = Unknown("no answer", next_step=NextStep("wait"))


def test_make_then_find(make_inputs: MakeInputs, index: PackageIndex) -> None:
    """The wheel is installed from the index, the sdist compared, and the proof is found by digest."""
    at = make_inputs(sample_projects.files("staged-one"), project="staged-one")
    context = at.context(**sent(at, index))
    assert stage(at, index).plan()
    assert stage(at, index).find(context) is None
    made = stage(at, LaggingIndex(index, [EMPTY, NO_ANSWER])).make(context)
    assert [result.name for result in made.results] == [
        "staged_one-1.0-py3-none-any.whl: imports",
        "staged_one-1.0-py3-none-any.whl: requirements",
        "staged_one-1.0.tar.gz: download",
    ]
    assert stage(at, index).find(context) == made
    manifest = at.folder.read_manifest()
    assert manifest is not None
    assert manifest.proofs == (), "the manifest lies on the draft already, and stays as it is"
    assert at.folder.read_proof("prove-testpypi") == made
    assert any(re.search("waiting until testpypi lists .*, at most 15 min more", each) for each in at.messages)


@pytest.mark.parametrize(("look", "error"), [(EMPTY, Incomplete), (NO_ANSWER, Unknown)])
def test_waits_are_bounded(make_inputs: MakeInputs, index: PackageIndex, look: Any, error: type[Exception]) -> None:
    """The wait for an index that never lists the files, or never answers, has a limit."""
    at = make_inputs(sample_projects.files("late-one"), project="late-one")
    clock = FakeClock()
    with pytest.raises(error):
        stage(at, LaggingIndex(index, [look] * 100), clock=clock, patience=60.0).make(at.context(dists=at.dists()))
    assert clock.time == 60.0


@pytest.mark.parametrize(
    ("cause", "asked", "waited"), [(Cause.UNREACHABLE, 0.0, 0.0), (Cause.LATER, 901.0, 0.0), (Cause.LOST, 0.0, 120.5)]
)
def test_an_index_that_is_not_there_is_not_waited_for(
    make_inputs: MakeInputs, index: PackageIndex, cause: Cause, asked: float, waited: float
) -> None:
    """A refused connection, or too long a wait that is asked for, ends the stage at once; silence after two minutes."""
    at, clock = make_inputs(sample_projects.files("late-one"), project="late-one"), FakeClock()
    looks: list[Any] = [failure(cause, "no answer", wait=asked)] * 999
    with pytest.raises(Unknown) as caught:
        stage(at, LaggingIndex(index, looks), clock=clock).make(at.context(dists=at.dists()))
    assert clock.time == waited
    assert caught.value.wait == asked


@pytest.mark.parametrize(
    ("listed", "error", "words"),
    [
        ({"sha256": "0" * 64}, Conflict, "0" * 64),
        ({"url": "file:///etc/passwd"}, Unknown, "no valid URL"),
        ({"url": "http://127.0.0.1:9/x --index-url http://127.0.0.1:9"}, Unknown, "no valid URL"),
        ({"url": "http://127.0.0.1:9/small_one-1.0-py3-none-any.whl"}, Unknown, "could not install"),
    ],
)
def test_the_index_is_not_trusted(
    make_inputs: MakeInputs, index: PackageIndex, listed: dict[str, str], error: type[Exception], words: str
) -> None:
    """Another digest is a conflict, and an invalid URL is never passed on."""
    at = make_inputs()
    dists = Dists(files=at.dists().wheels)
    (file,) = dists.files
    real = ListedFile(name=file.name, url="http://127.0.0.1:9/x.whl", sha256=file.sha256)
    holding = Holding(simple={file.name: replace(real, **listed)}, json=None)  # type: ignore[arg-type]  # text
    uv = replace(at.uv, environ={**at.uv.environ, "UV_HTTP_RETRIES": "0"})
    with pytest.raises(error, match=words):
        stage(at, LaggingIndex(index, [holding]), environments=uv).make(at.context(dists=dists))


def test_a_lone_sdist_is_installed(make_inputs: MakeInputs, index: PackageIndex) -> None:
    """If no wheel runs here, the sdist is installed from the index."""
    at = make_inputs(sample_projects.files("built-one"), project="built-one")
    products = sent(at, index)
    wheel = products["dists"].wheels[0]
    foreign = wheel.path.with_name("built_one-1.0-cp39-cp39-win32.whl")
    wheel.path.rename(foreign)
    simple = index.holding("built-one", "1.0").simple
    listed = ListedFile(name=foreign.name, url="http://127.0.0.1:9/x.whl", sha256=wheel.sha256)
    late = LaggingIndex(index, [Holding(simple={**simple, foreign.name: listed}, json=None)])
    dists = Dists(files=(describe_file(foreign), *products["dists"].sdists))
    made = stage(at, late).make(at.context(dists=dists, testpypi=products["testpypi"]))
    assert [(result.name, result.verdict) for result in made.results] == [
        ("built_one-1.0.tar.gz: imports", Verdict.PASSED),
        ("built_one-1.0.tar.gz: requirements", Verdict.PASSED),
        (foreign.name, Verdict.NOT_TESTED),
    ]


def test_other_bytes_at_the_address(make_inputs: MakeInputs, index: PackageIndex, tmp_path: Path) -> None:
    """A file with other bytes than its hash is never installed."""
    at = make_inputs(sample_projects.files("swapped-one"), project="swapped-one")
    products = sent(at, index)
    dists = Dists(files=tuple(replace(file, sha256="1" * 64) for file in products["dists"].wheels))
    listed = index.holding("swapped-one", "1.0").simple[dists.files[0].name]
    late = LaggingIndex(index, [Holding(simple={listed.name: replace(listed, sha256=None)}, json=None)])
    with pytest.raises(Conflict, match="1" * 64):
        stage(at, late).make(at.context(dists=dists))
    assert tmp_path.exists()


def test_dependencies_never_come_from_there(make_inputs: MakeInputs, index: PackageIndex) -> None:
    """A dependency that only the staging index offers is not found."""
    helper = make_inputs(sample_projects.files("junk-dependency"), project="junk-dependency")
    sent(helper, index)
    content = sample_projects.files("leaning-one", more='dependencies = ["junk-dependency"]\n')
    helper.repo.commit(content)
    at = StageInputs(helper.repo, replace(helper.release, project="leaning-one"), helper.shell, helper.folder)
    for path in at.folder.dists.iterdir():
        path.unlink()
    products = sent(at, index)
    with empty_index() as dependencies, pytest.raises(CheckFailed, match="junk-dependency"):
        stage(at, index, environments=replace(at.uv, dependencies=dependencies)).make(at.context(**products))
