"""The stage ``rebuild`` builds the files a second time under other conditions, and says what differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.stages.conftest import RELEASE, StageInputs
from tests.support import sample_projects

from unmoor.adapters.pep517 import Pep517
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import BuildOptions
from unmoor.core.stage import Output
from unmoor.core.waivers import ActorSource, Emergency, Gate
from unmoor.dists.building import DistBuilder
from unmoor.dists.testing.install_test import subjects
from unmoor.errors import BuildFailed, CheckFailed
from unmoor.products import Dists, File, Proof, Result, Tool, Verdict
from unmoor.stages.dists import BuildDists
from unmoor.stages.rebuild import RebuildDists
from unmoor.util.values import replace

MakeInputs = Callable[..., StageInputs]
SAME = "a second build gives the same bytes"
TOOLS = (Tool(name="build", version="1"),)

CONDITIONS = """    import time
    files |= {f"{NAME}/{name}.txt": text for name, text in {
        "seed": str(hash("a")), "zone": time.strftime("%Z"), "locale": os.environ["LC_ALL"],
        "user": os.environ["USER"], "home": os.environ["HOME"], "folder": os.getcwd(),
        "time": str(os.stat("own.py").st_mtime), "epoch": os.environ["SOURCE_DATE_EPOCH"],
    }.items()}
"""


@pytest.fixture(autouse=True)
def as_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first build knows a user, as on most machines."""
    monkeypatch.setenv("USER", "first")


def prepared(at: StageInputs, *, options: BuildOptions | None = None, **settings: Any) -> tuple[Dists, RebuildDists]:
    """Build with the stage ``dists``, and return the files and the stage that builds them again."""
    options = options or BuildOptions(formats=("wheel",))
    backend = Pep517(shell=at.shell, uv=at.uv)
    first = BuildDists(release=RELEASE, git=at.git, backend=backend, folder=at.folder, options=options)
    builder = DistBuilder(git=at.git, backend=backend, options=options)
    return first.make(at.context()), stage(at.folder, builder=builder, **settings)


def stage(folder: RunFolder, **settings: Any) -> RebuildDists:
    """The stage. Without ``builder``, one that cannot build."""
    return RebuildDists(release=RELEASE, dists=Output("dists"), folder=folder, **{"builder": None, **settings})


@pytest.mark.journey  # real builds, one after the other
def test_what_a_build_depends_on(make_inputs: MakeInputs) -> None:
    """Each condition that gets into a file is found and named, and nothing else is; ``required`` stops."""
    project = sample_projects.files()
    own = project["own.py"].replace("    record = ", f"{CONDITIONS}    record = ")
    at = make_inputs(project | {"own.py": own})
    dists, rebuild = prepared(at)
    context = at.context(dists=dists)
    assert rebuild.find(context) is None
    proof = rebuild.make(context)
    (result,) = proof.results
    assert result == Result(name=dists.files[0].name, verdict=Verdict.FAILED, detail="a second build gives other bytes")
    assert rebuild.find(context) == proof
    found = "\n".join([*at.warned, *at.messages])
    for name in ("seed", "zone", "locale", "user", "home", "folder", "time"):
        assert f"small_one/{name}.txt: another text" in found, name
    assert "epoch.txt" not in found
    assert "folder.txt: another text" in found
    assert "the second holds the folder of the build" in found
    assert "the second holds the name of the user" in found
    with pytest.raises(CheckFailed, match=r"small_one/seed\.txt: another text") as raised:
        replace(rebuild, required=True).make(context)
    assert raised.value.advice_ids == ("make-reproducible",)


@pytest.mark.journey  # real builds, one after the other
def test_the_same_bytes(make_inputs: MakeInputs) -> None:
    """What depends on the commit alone is proven, whole and from the sdist; the proof is found, and travels."""
    at = make_inputs()
    dists, rebuild = prepared(at, options=BuildOptions(), required=True)
    context = at.context(dists=dists)
    proof = rebuild.make(context)
    assert {(each.verdict, each.detail) for each in proof.results} == {(Verdict.PASSED, SAME)}
    assert proof.summary == "2 checks passed"
    assert at.warned == []
    elsewhere = RunFolder(at.repo.path.parent / "elsewhere" / "v1.0")
    elsewhere.write_manifest(Manifest.of(at.release, dists, (proof,)))
    assert stage(elsewhere).find(context) == proof
    assert stage(elsewhere, required=True, handed=True).find(context) == proof


@pytest.mark.journey  # real builds, one after the other
@pytest.mark.parametrize("required", [False, True], ids=["advisory", "required"])
def test_a_second_build_that_fails(make_inputs: MakeInputs, *, required: bool) -> None:
    """It is a warning, which is no proof and is tried again; or the error of that build."""
    project = sample_projects.files()
    own = project["own.py"].replace("    record = ", "    assert os.environ['TZ'] == 'UTC'\n    record = ")
    at = make_inputs(project | {"own.py": own})
    dists, rebuild = prepared(at, required=required)
    context = at.context(dists=dists)
    if required:
        with pytest.raises(BuildFailed, match="this was the second build"):
            rebuild.make(context)
    else:
        proof = rebuild.make(context)
        assert [each.detail for each in proof.untested] == ["not rebuilt: the second build failed"]
        assert "AssertionError" in at.warned[0]
    assert rebuild.find(context) is None


WHEEL, COMPILED, SDIST = "a-1.0-py3-none-any.whl", "a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", "a-1.0.tar.gz"


def files(*names: str, **others: Any) -> Dists:
    """Files that exist only by name."""
    found = tuple(File(name=name, sha256="1" * 64, size=1, path=Path(name)) for name in names)
    return Dists(files=found, **{"tools": TOOLS, **others})


def proof_of(dists: Dists, *verdicts: Verdict) -> Proof:
    """A proof of files with these verdicts."""
    results = (Result(name=file.name, verdict=verdict) for file, verdict in zip(dists.files, verdicts, strict=True))
    return Proof(name="rebuild", subjects=subjects(dists), results=tuple(results))


ELSEWHERE = ("built by another tool",)
OTHER_JOB = "not rebuilt: built by another job, which did not build it twice"


@pytest.mark.parametrize(
    ("dists", "settings", "details"),
    [
        (files(WHEEL, SDIST), {}, None),
        (files(WHEEL, SDIST), {"handed": True}, [OTHER_JOB] * 2),
        (files(COMPILED), {}, ["not rebuilt: compiled"]),
        (files(COMPILED), {"required": True}, None),
        (files(COMPILED, SDIST), {}, None),
        (files(COMPILED, SDIST), {"handed": True}, ["not rebuilt: compiled", OTHER_JOB]),
        (files(WHEEL, decisions=ELSEWHERE, tools=()), {}, ["not rebuilt: built by another tool"]),
        (files(WHEEL, SDIST, decisions=ELSEWHERE), {}, None),
        (files(WHEEL, tools=()), {}, ["not rebuilt: the tools that built it are not known"]),
        (files(WHEEL, vouched=False), {"required": True}, ["public already, and not vouched for"]),
    ],
)
def test_what_is_not_rebuilt(
    make_inputs: MakeInputs, dists: Dists, settings: dict[str, Any], details: list[str] | None
) -> None:
    """Files of other tools and jobs, and compiled wheels, are *not tested* with the reason; ``None`` is built again."""
    at = make_inputs()
    proof = stage(at.folder, **settings).find(at.context(dists=dists))
    assert (proof and [each.detail for each in proof.untested]) == details


@pytest.mark.parametrize(
    ("verdict", "required", "found"),
    [
        (Verdict.PASSED, True, True),
        (Verdict.PASSED, False, True),
        (Verdict.FAILED, False, True),
        (Verdict.FAILED, True, False),
        (Verdict.NOT_TESTED, False, True),
        (Verdict.NOT_TESTED, True, False),
    ],
)
def test_a_handed_proof(make_inputs: MakeInputs, verdict: Verdict, *, required: bool, found: bool) -> None:
    """A proof of another job counts, by digest; if it must have passed, nothing less does."""
    at = make_inputs()
    dists = files(WHEEL)
    at.folder.write_manifest(Manifest.of(at.release, dists, (proof_of(dists, verdict),)))
    given = stage(at.folder, required=required).find(at.context(dists=dists))
    assert (given == proof_of(dists, verdict)) is found
    other = Dists(files=(replace(dists.files[0], sha256="2" * 64),), tools=TOOLS)
    assert given is None or stage(at.folder).find(at.context(dists=other)) != given


@pytest.mark.parametrize(
    ("gates", "found"), [((Gate.REPRODUCIBILITY,), True), ((Gate.TESTS,), False), (None, False)], ids=str
)
def test_a_waived_difference(make_inputs: MakeInputs, gates: tuple[Gate, ...] | None, *, found: bool) -> None:
    """A run that requires the same bytes believes a difference only if the manifest says that it was waived."""
    at = make_inputs()
    dists = files(WHEEL)
    emergency = None
    if gates is not None:
        emergency = Emergency(reason="it burns", actor="octocat", actor_from=ActorSource.FORGE, gates=gates)
    proof = proof_of(dists, Verdict.FAILED)
    at.folder.write_manifest(Manifest.of(at.release, dists, (proof,), emergency=emergency))
    assert (stage(at.folder, required=True).find(at.context(dists=dists)) == proof) is found


def test_a_complete_manifest_stays(make_inputs: MakeInputs) -> None:
    """Files whose manifest is complete without a second build are not built again, unless that is required."""
    at = make_inputs()
    dists = files(WHEEL)
    tested = replace(proof_of(dists, Verdict.PASSED), name="prove-dists")
    at.folder.write_manifest(Manifest.of(at.release, dists, (tested,)))
    proof = stage(at.folder).find(at.context(dists=dists))
    assert proof is not None
    assert [each.detail for each in proof.results] == ["not rebuilt: the manifest was complete without"]
    assert stage(at.folder, required=True).find(at.context(dists=dists)) is None


def test_what_another_tool_built_cannot_be_required(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """If every file must be rebuilt, one that cannot be is an error that names it and the reason."""
    at = make_inputs()
    given = tmp_path / "wheelhouse"
    given.mkdir()
    (given / COMPILED).touch()
    rows: tuple[tuple[Dists, dict[str, Any]], ...] = (
        (files(COMPILED, tools=()), {"prebuilt": given}),
        (files(WHEEL, decisions=ELSEWHERE, tools=()), {}),
    )
    for dists, settings in rows:
        with pytest.raises(CheckFailed, match="not rebuilt: built by another tool") as raised:
            stage(at.folder, required=True, **settings).make(at.context(dists=dists))
        assert raised.value.advice_ids == ("rebuild-advisory",)
