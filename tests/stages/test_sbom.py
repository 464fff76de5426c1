"""The stage ``sbom``: made once for these bytes, listed by the manifest, and the same on every machine after that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.beliefs import given
from tests.support.local_forge import DISTS, NOTES, PROOF, RELEASE, LocalForge, draft_inputs, start_forge
from tests.support.resolvers import Answer, FakeResolver, package
from tests.support.sample_wheels import sample_wheel
from tests.support.unused_services import DEFAULTS, unused_pipeline

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, StageContext
from unmoor.errors import CheckFailed, Conflict, Denied, Incomplete, Interrupted, Unknown, UnmoorError
from unmoor.ports.environments import Interpreter, running
from unmoor.products import Dists, File, Notes, Proof, Release, Result, Sboms, Subject, Verdict
from unmoor.publish.documents import complete
from unmoor.stages.sbom import DescribeWheels
from unmoor.util.values import replace

SBOMS: Output[Sboms] = Output("sbom")
NETWORK = Unknown("the index did not answer", where="https://index.example.org")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One forge for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("sbom")) as running_forge:
        yield running_forge


class Here:
    """Environments of which only the own interpreter is asked for."""

    def own(self) -> Interpreter:
        """The running one."""
        return running()

    def pythons(self) -> tuple[Interpreter, ...]:
        """Only that."""
        return (running(),)


@dataclass
class Described:
    """A built release, and the stage that describes it."""

    at: LocalForge
    path: Path
    release: Release
    dists: Dists
    answers: dict[str, Answer]
    folder: RunFolder
    said: list[str] = field(default_factory=list)

    @property
    def proof(self) -> Proof:
        """What makes the manifest complete."""
        subjects = tuple(Subject(name=file.name, sha256=file.sha256) for file in self.dists.files)
        return Proof(name="prove-dists", subjects=subjects, results=(Result(name="imports", verdict=Verdict.PASSED),))

    @property
    def context(self) -> StageContext:
        """The context of the stage."""
        return StageContext(
            {
                RELEASE.by: self.release,
                DISTS.by: self.dists,
                PROOF.by: self.proof,
                NOTES.by: Notes(body="- New\n", full="- New\n", source="a test"),
            },
            warn=self.said.append,
        )

    def stage(self, folder: RunFolder | None = None, *, required: bool = False) -> DescribeWheels:
        """The stage of a new run."""
        return DescribeWheels(
            release=RELEASE,
            dists=DISTS,
            environments=cast("Any", Here()),
            resolver=FakeResolver(self.answers),
            forge=self.at.forge(),
            folder=folder or self.folder,
            required=required,
        )

    def draft(self, sboms: Sboms) -> None:
        """Make the draft with these."""
        stage = draft_inputs(self.at, self.path / "unused", self.release).stage
        stage = replace(stage, sboms=SBOMS, folder=self.folder)
        stage.make(StageContext({**self.context.products, SBOMS.by: sboms}))


@pytest.fixture
def it(at: LocalForge, tmp_path: Path) -> Described:
    """A wheel with one dependency and an sdist, built."""
    return built(at, tmp_path)


def built(at: LocalForge, path: Path, *tags: str, lines: tuple[str, ...] = ("Requires-Dist: web",)) -> Described:
    """The release of wheels with these tags, and of an sdist."""
    release = at.release()
    wheels = [
        sample_wheel(path / "run" / "dists", *lines, version=release.version, tag=tag)
        for tag in tags or ("py3-none-any",)
    ]
    sdist = path / "run" / "dists" / f"demo-{release.version}.tar.gz"
    sdist.write_bytes(b"an sdist")
    dists = Dists(files=(*wheels, describe_file(sdist)))
    found = Described(at, path, release, dists, {"": (package("web"),)}, RunFolder(path / "run"))
    found.folder.write_build(Manifest.of(release, found.dists))
    return found


def version_of(file: File) -> str:
    """The version of the only dependency in a bill of materials."""
    (web,) = json.loads(file.path.read_bytes())["components"]
    return str(web["version"])


def test_only_wheels_are_described_and_the_next_run_finds_it(it: Described) -> None:
    """One for the wheel, none for the sdist; another day would resolve another version, and does not."""
    assert it.stage().find(it.context) is None
    made = it.stage().make(it.context)
    assert [each.name for each in made.files] == [f"demo-{it.release.version}-py3-none-any.whl.cdx.json"]
    assert (made.why_not, made.summary, it.said) == ("", "1 SBOM", [])
    it.answers[""] = (package("web", "2.0"),)
    assert it.stage().find(it.context) == made
    assert version_of(made.files[0]) == "1.0"


def test_a_removed_or_changed_file_is_made_again_before_the_manifest_is_complete(it: Described) -> None:
    """Nothing has been sent then, so another version does no harm."""
    made = it.stage().make(it.context)
    made.files[0].path.write_bytes(b"{}")
    it.answers[""] = (package("web", "2.0"),)
    assert it.stage().find(it.context) is None
    assert version_of(it.stage().make(it.context).files[0]) == "2.0"


def test_a_complete_manifest_decides(it: Described, tmp_path: Path) -> None:
    """Another machine takes what it lists from the draft by sha256, resolves nothing, and completes the same bytes."""
    made = it.stage().make(it.context)
    it.draft(made)
    manifest = (it.folder.path / manifests.NAME).read_bytes()
    assert [each.sha256 for each in manifests.decode(manifest, where="").sboms] == [made.files[0].sha256]
    elsewhere = RunFolder(tmp_path / "elsewhere")
    elsewhere.write_document(manifests.NAME, manifest)
    it.answers[""] = NETWORK
    found = it.stage(elsewhere).find(it.context)
    assert found is not None
    assert (found.files, found.frozen) == (made.files, True)
    assert found.files[0].path.read_bytes() == made.files[0].path.read_bytes()
    again = complete(elsewhere, it.release, it.dists, (it.proof,), sboms=found)
    assert again.manifest_data == manifest


@pytest.mark.parametrize(
    ("held", "error", "words"),
    [("nothing", Incomplete, "neither the run folder nor a release"), ("other bytes", Conflict, "the manifest lists")],
)
def test_what_the_manifest_lists_is_taken_or_nothing(
    it: Described, tmp_path: Path, held: str, error: type[UnmoorError], words: str
) -> None:
    """A release that lacks it, or holds other bytes, stops the run: nothing else may stand in for it."""
    made = it.stage().make(it.context)
    it.draft(made)
    (there,) = it.at.forge().releases(it.release.tag)
    it.at.forge().detach(next(each for each in there.assets if each.name == made.files[0].name))
    if held == "other bytes":
        bad = tmp_path / made.files[0].name
        bad.write_bytes(b"{}")
        it.at.forge().attach(there, describe_file(bad))
    elsewhere = RunFolder(tmp_path / "elsewhere")
    elsewhere.write_document(manifests.NAME, (it.folder.path / manifests.NAME).read_bytes())
    with pytest.raises(error, match=words):
        it.stage(elsewhere).find(it.context)


@pytest.mark.parametrize("required", [False, True])
def test_a_manifest_that_was_completed_without(it: Described, *, required: bool) -> None:
    """Releases of before have none and stay as they are; where one is required, only a new version can have it."""
    it.folder.write_manifest(Manifest.of(it.release, it.dists, (it.proof,)))
    if required:
        with pytest.raises(Conflict, match="is complete, and lists no SBOM of demo-"):
            it.stage(required=True).find(it.context)
        return
    found = it.stage().find(it.context)
    assert found is not None
    assert found.files == ()
    assert found.why_not.startswith("the manifest was completed without an SBOM of demo-")


FAILURES: Mapping[str, UnmoorError] = {
    "no answer": NETWORK,
    "no access": Denied("the index denies access"),
    "no solution": CheckFailed("nothing fits"),
    "other bytes": Conflict("other bytes are there"),
}


@pytest.mark.parametrize("row", FAILURES)
def test_a_resolver_that_fails(it: Described, row: str) -> None:
    """`auto` warns and goes on without, `required` stops with the error; never is a wheel taken to need nothing."""
    it.answers[""] = FAILURES[row]
    with pytest.raises(type(FAILURES[row]), match=FAILURES[row].what):
        it.stage(required=True).make(it.context)
    made = it.stage().make(it.context)
    assert made.files == ()
    assert FAILURES[row].what in made.summary
    (warning,) = it.said
    assert FAILURES[row].what in warning
    assert 'set sbom = "required" to stop' in warning
    assert it.stage().find(it.context) is None  # the next run tries again


def test_a_run_that_is_to_end_ends(it: Described) -> None:
    """An interruption is no failure of the resolver."""
    it.answers[""] = Interrupted("interrupted")
    with pytest.raises(Interrupted):
        it.stage().make(it.context)


def test_each_wheel_is_resolved_for_its_platform(at: LocalForge, tmp_path: Path) -> None:
    """Wheels for the same Python and platform share a resolution; one that cannot be resolved spoils no other."""
    it = built(at, tmp_path, "cp310-cp310-win_amd64", "cp312-cp312-win_amd64", "py3-none-any")
    stage = it.stage()
    made = stage.make(it.context)
    assert len(made.files) == 3
    asked = cast("FakeResolver", stage.resolver).asked
    assert sorted((target.version, target.platform) for _, _, target in asked) == [
        ("", ""),
        ("3.10", "win_amd64"),
        ("3.12", "win_amd64"),
    ]


def test_files_that_other_jobs_built_bring_theirs(at: LocalForge, tmp_path: Path) -> None:
    """Two legs hand over a wheel and its bill of materials each; a leg without one gets it here."""
    it = built(at, tmp_path / "one", "cp312-cp312-win_amd64", "py3-none-any")
    made = it.stage().make(it.context)
    wheels = it.dists.wheels
    legs = []
    for number, wheel in enumerate(wheels):
        one = Dists(files=(wheel,))
        leg = tmp_path / f"leg{number}"
        (leg / "dists").mkdir(parents=True)
        (leg / "dists" / wheel.name).write_bytes(wheel.path.read_bytes())
        listed = Sboms(files=tuple(each for each in made.files if number == 0 and each.name.startswith(wheel.name)))
        for each in listed.files:
            RunFolder(leg).write_sbom(each.name, each.path.read_bytes())
        manifest = Manifest.of(it.release, one, (), listed.assets)
        (leg / manifests.NAME).write_bytes(manifests.encode(manifest))
        legs.append(Handover.of(leg))
    folder = RunFolder(tmp_path / "run", given(*(each.manifest for each in legs)))
    folder.take(legs)
    it.dists, it.answers[""] = Dists(files=wheels), (package("web", "2.0"),)
    assert it.stage(folder).find(it.context) is None
    versions = [version_of(each) for each in it.stage(folder).make(it.context).files]
    assert versions == ["1.0", "2.0"]
    found = it.stage(folder).find(it.context)
    assert found is not None
    assert complete(folder, it.release, it.dists, (), sboms=found).manifest.sboms == found.assets
    # A job that does not run the stage keeps what is documented.
    assert complete(folder, it.release, it.dists, (it.proof,)).manifest.sboms == found.assets


@pytest.mark.parametrize(
    ("dists", "why"),
    [
        (lambda it: Dists(files=it.dists.sdists), "there is no wheel"),
        (lambda it: replace(it.dists, vouched=False), "the files are public already, and not vouched for"),
    ],
)
def test_nothing_is_invented(it: Described, dists: Any, why: str) -> None:
    """An sdist alone gets none, nor do files that nothing vouches for; that is no failure."""
    it.dists = dists(it)
    made = it.stage(required=True).find(it.context) or it.stage(required=True).make(it.context)
    assert (made.files, made.why_not, it.said) == ((), why, [])


def test_what_is_embedded_and_broken_is_a_warning(at: LocalForge, tmp_path: Path) -> None:
    """The file is not refused for it, and the wheel's bytes do not change."""
    it = built(at, tmp_path)
    wheel = sample_wheel(
        it.folder.dists, version=it.release.version, more={"sboms/broken.cdx.json": b"{", "sboms/a.spdx.xml": b"<a/>"}
    )
    it.dists = Dists(files=(wheel,))
    it.stage().make(it.context)
    (warning,) = it.said
    assert "broken.cdx.json in it (PEP 770) does not count: it is not a JSON object" in warning
    assert describe_file(wheel.path) == wheel


def test_the_plan_names_the_stage() -> None:
    """It is part of the release unless the settings turn it off."""
    assert "sbom" in unused_pipeline().names
    assert "sbom" not in unused_pipeline(replace(DEFAULTS, sbom="off")).names
