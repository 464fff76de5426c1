"""The jobs of a release, by commands: they hand over documents by digest; none with a credential runs project code."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.engines import TestEngine, engine, require_programs  # noqa: F401 - the fixture
from tests.support.job_chain import TAG, Job, JobChain, Ran, start_chain

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

BUILD = ("--dry-run", "--until", "check-dists")
TEST = ("--dry-run", "--until", "prove-dists")
HOLD = ("--hold", "--until", "testpypi", "--no-project-code")
PROOFS = ("prove-dists", "rebuild")
FORGED = "0" * 64


def build_and_test(chain: JobChain) -> None:
    """Run the jobs `build` and `test` of a project without compiled code."""
    build = chain.job("build")
    ran = build.passes("release", *BUILD)
    assert ran.project_code == {"build"}
    build.upload("built")
    test = chain.job("test").take("built")
    ran = test.passes("release", *TEST, given=(chain.digest("build", "manifest"),))
    assert ran.project_code == {"build", "import", "test"}  # the second build, of which only the proof is handed over
    test.upload("proofs", "*/proofs/*.json")


def built_and_tested(chain: JobChain) -> tuple[str, ...]:
    """The digests of what `build` and `test` hand over."""
    return (chain.digest("build", "manifest"), *(chain.digest("test", each) for each in PROOFS))


def test_a_project_without_compiled_code(tmp_path: Path) -> None:
    """Each job writes where it may, runs project code if it has no credential, and gives the next one what it needs."""
    with start_chain(tmp_path) as chain:
        build_and_test(chain)
        hold = chain.job("hold", sends=True).take("built", "proofs")
        held = hold.passes("release", *HOLD, given=built_and_tested(chain))
        assert (held.project_code, held.wrote) == (set(), {"forge", "sigstore", "testpypi"})
        hold.upload("held")

        manifest = (chain.digest("hold", "manifest"),)
        early = chain.job("publish", sends=True).take("held").run("release", "--no-project-code", given=manifest)
        assert early.code == 8, early.err
        assert "`prove`" in early.err
        assert (early.project_code, early.wrote & {"pypi"}) == (set(), set())

        prove = chain.job("prove").take("held")
        proven = prove.passes("release", "--until", "prove-testpypi", given=manifest)
        assert (proven.project_code, proven.wrote) == ({"import"}, set())
        prove.upload("staged-proof", "*/proofs/prove-testpypi.json")

        publish = chain.job("publish", sends=True).take("held", "staged-proof")
        digests = (*manifest, chain.digest("prove", "prove-testpypi"))
        published = publish.passes("release", "--no-project-code", given=digests)
        assert published.project_code == set()
        assert {"pypi", "forge"} <= published.wrote <= {"pypi", "forge", "sigstore"}
        assert published.outputs["verified"] == "true"
        again = chain.job("publish", sends=True).take("held", "staged-proof")
        assert again.passes("release", "--no-project-code", given=digests).wrote == set()

        for command in ("status", "verify"):
            for artifacts in ((), ("held",)):
                ran = chain.job("verify").take(*artifacts).passes(command)
                assert (ran.project_code, ran.wrote) == (set(), set()), command


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobChain]:
    """A chain whose jobs `build` and `test` have ended. No test here sends anything."""
    with start_chain(tmp_path_factory.mktemp("tested")) as chain:
        build_and_test(chain)
        yield chain


@pytest.mark.parametrize(
    ("artifacts", "documents", "code", "says"),
    [
        (("built",), ("manifest",), 8, "`test`"),
        (("built", "proofs"), ("manifest",), 8, "`test`"),
        (("built", "proofs"), ("manifest", "prove-dists"), 8, "second build"),
        (("built", "proofs"), ("manifest", "rebuild"), 8, "tested"),
        (("built", "proofs"), ("prove-dists", "rebuild"), 8, "`build`"),
        (("proofs",), ("prove-dists", "rebuild"), 8, "`build`"),
        (("built", "proofs"), ("manifest", "manifest", "manifest"), 8, "`test`"),
        (("built", "proofs"), ("manifest", "prove-dists", ""), 2, "an empty value"),
        (("built", "proofs"), ("", "prove-dists", "rebuild"), 2, "an empty value"),
        (("built", "proofs"), ("manifest", "prove-dists", FORGED), 4, FORGED),
        (("built", "proofs"), (FORGED, "prove-dists", "rebuild"), 4, FORGED),
        (("built", "proofs"), ("manifest", "prove-dists", "rebuild", FORGED), 4, FORGED),
        (("built",), ("manifest", "prove-dists", "rebuild"), 4, "no document has the sha256"),
    ],
    ids=[
        "no proof",
        "a proof without a digest",
        "the second build without a digest",
        "the tests without a digest",
        "the files without a digest",
        "no files",
        "one digest three times",
        "an empty digest of a proof",
        "an empty digest of the files",
        "another digest of a proof",
        "another digest of the files",
        "a digest of nothing",
        "digests of proofs that are not there",
    ],
)
def test_each_hand_over_needs_its_own_digest(
    tested: JobChain, artifacts: tuple[str, ...], documents: tuple[str, ...], code: int, says: str
) -> None:
    """Without it the job stops before it sends anything or runs project code, and names the job that hands it over."""
    known = {"manifest": tested.digest("build", "manifest")} | {each: tested.digest("test", each) for each in PROOFS}
    given = tuple(known.get(each, each) for each in documents)
    ran = tested.job("hold", sends=True).take(*artifacts).run("release", *HOLD, given=given)
    assert ran.code == code, ran.err
    assert says in ran.err
    assert (ran.wrote, ran.project_code) == (set(), set())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ("manifest.json", 4),
        ("proofs/prove-dists.json", 4),
        ("proofs/rebuild.json", 4),
        ("dists/small_one-1.0-py3-none-any.whl", 9),
        ("dists/small_one-1.0.tar.gz", 9),
    ],
)
def test_what_changed_on_its_way_stops_the_job(tested: JobChain, changed: str, code: int) -> None:
    """A document or file of other bytes than its job had is refused, and nothing is made in its place."""
    job = tested.job("hold", sends=True).take("built", "proofs")
    folder = job.clone / ".unmoor" / TAG
    was = (folder / changed).read_bytes()
    for each in folder.rglob("*"):  # bytes that are also there under another name still have their digest
        if each.is_file() and each.read_bytes() == was:
            each.write_bytes(was + b" ")
    ran = job.run("release", *HOLD, given=built_and_tested(tested))
    assert ran.code == code, ran.err
    assert (ran.wrote, ran.project_code) == (set(), set())


MACHINE = platform.machine()
SYSTEMS = {"linux": f"manylinux_2_17_{MACHINE}", "other": f"manylinux_2_5_{MACHINE}"}
"""The legs of a project with compiled code, and the platform of the wheel that each builds."""


def build_legs(chain: JobChain) -> None:
    """Run the job `build` for the sdist, and a job for each leg, which builds a wheel of it with another tool."""
    build = chain.job("build")
    build.passes("release", *BUILD, UNMOOR_FORMATS="sdist")
    build.upload("built")
    for system, tag in SYSTEMS.items():
        leg = chain.job(f"wheels-{system}")
        (built,) = leg.take_each("built")
        given = (chain.digest("build", "manifest"),)
        leg.passes("release", *BUILD, "--dists", built, given=given, UNMOOR_FORMATS="sdist")
        build_wheel(leg.clone, tag)
        ran = leg.passes("release", *TEST, "--built", "wheelhouse")
        assert ran.project_code == {"import", "test"}
        leg.upload(f"wheels-{system}")


def build_wheel(clone: Path, tag: str) -> None:
    """Do what cibuildwheel does: build a wheel for one platform from the sdist that was taken over."""
    (sdist,) = (clone / ".unmoor" / TAG / "dists").iterdir()
    shutil.unpack_archive(sdist, clone / "sdist", filter="data")
    shutil.rmtree(clone / ".unmoor")
    (tree,) = (clone / "sdist").iterdir()
    backend = (tree / "own.py").read_text().replace("py3-none-any", f"py3-none-{tag}")
    (tree / "own.py").write_text(backend.replace("Purelib: true", "Purelib: false"))
    (clone / "wheelhouse").mkdir()
    subprocess.run(
        [sys.executable, "-c", f"import own; own.build_wheel({str(clone / 'wheelhouse')!r})"], cwd=tree, check=True
    )


LEGS = ("built", *(f"wheels-{system}" for system in SYSTEMS))


@pytest.fixture(scope="module")
def legs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobChain]:
    """A chain whose jobs have built an sdist and the wheels of two systems. No test here sends anything."""
    with start_chain(tmp_path_factory.mktemp("legs")) as chain:
        build_legs(chain)
        yield chain


def of_legs(chain: JobChain) -> tuple[str, ...]:
    """The digest that the job of each leg put out."""
    return tuple(chain.digest(job, "manifest") for job in ("build", *LEGS[1:]))


def merge_arguments(folders: tuple[Path, ...]) -> tuple[str | Path, ...]:
    """The arguments of the job `merge`."""
    return (*TEST, *(argument for folder in folders for argument in ("--dists", folder)))


def test_a_project_with_two_legs(tmp_path: Path) -> None:
    """What two machines built and tested is merged and held, and each file has the bytes that its job built."""
    with start_chain(tmp_path) as chain:
        build_legs(chain)
        merge = chain.job("merge")
        merged = merge.passes("release", *merge_arguments(merge.take_each(*LEGS)), given=of_legs(chain)[::-1])
        assert merged.wrote == set()  # it tests the sdist, which builds and installs it
        merge.upload("merged")
        hold = chain.job("hold", sends=True).take("merged")
        held = hold.passes("release", *HOLD, given=(chain.digest("merge", "manifest"),))
        assert (held.project_code, held.wrote) == (set(), {"forge", "sigstore", "testpypi"})
        built = {path.name: path.read_bytes() for each in LEGS for path in (chain.artifacts / each).glob("*/dists/*")}
        assert len(built) == 1 + len(SYSTEMS)
        assert {path.name: path.read_bytes() for path in (hold.clone / ".unmoor" / TAG / "dists").iterdir()} == built
        assert {name for _, name in chain.place.stored()} == set(built)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((0, 1), 4),
        ((0, 2, 2), 4),
        ((1, 1, 1), 4),
        ((0, 1, FORGED), 4),
        ((0, 1, 2, FORGED), 4),
        ((0, 1, ""), 2),
        ((), 4),
    ],
    ids=["one missing", "doubled", "one for all", "another one", "unused", "empty", "none"],
)
def test_each_leg_needs_its_own_digest(legs: JobChain, given: tuple[int | str, ...], code: int) -> None:
    """A leg counts only by the digest of its own job; if one does not, nothing is merged."""
    job = legs.job("merge")
    known = of_legs(legs)
    digests = tuple(known[each] if isinstance(each, int) else each for each in given)
    ran = job.run("release", *merge_arguments(job.take_each(*LEGS)), given=digests)
    assert ran.code == code, ran.err
    assert (ran.wrote, ran.project_code) == (set(), set())
    assert not (job.clone / ".unmoor" / TAG / "manifest.json").exists()


def test_legs_that_changed_places(legs: JobChain) -> None:
    """The manifest of one leg beside the files of another is refused: its files are missing there."""
    job = legs.job("merge")
    folders = job.take_each(*LEGS)
    manifests = [(folder / "manifest.json").read_bytes() for folder in folders]
    for folder, manifest in zip(folders, manifests[1:] + manifests[:1], strict=True):
        (folder / "manifest.json").write_bytes(manifest)
    ran = job.run("release", *merge_arguments(folders), given=of_legs(legs))
    assert ran.code == 12, ran.err
    assert (ran.wrote, ran.project_code) == (set(), set())


IMAGES = """
[[tool.unmoor.image]]
platforms = ["linux/amd64", "linux/386"]
"""
DOCKERFILE = "FROM scratch\nCOPY dist/ /dist/\nUSER 1000\n"
PLATFORMS = {"image-linux-amd64": "linux/amd64", "image-linux-386": "linux/386"}
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


def test_images_of_two_machines(tmp_path: Path, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """A job that can push takes each image by the digest of its job, and builds and runs none."""
    require_programs("docker-registry")
    with start_chain(tmp_path, registry=True, more=IMAGES, Dockerfile=DOCKERFILE) as chain:
        build_and_test(chain)
        for name, platform_ in PLATFORMS.items():
            image = chain.job(name).take("built", "proofs")
            options = ("--until", "prove-images", "--platform", platform_, "--keep-images")
            image.passes("release", "--dry-run", *options, given=built_and_tested(chain), **engine.environ)
            image.upload(name)

        until = (*HOLD, "--until", "registry")
        without = chain.job("hold", sends=True).take("built", "proofs")
        ran = without.run("release", *until, given=built_and_tested(chain), **engine.environ)
        assert ran.code == 8, ran.err
        assert "`image-OS-ARCH`" in ran.err
        # To prove its login, it opens an upload and cancels that.
        assert (ran.wrote - {"registry"}, ran.project_code, chain.place.stored()) == (set(), set(), [])

        def hold_with(*images: str, **variables: str) -> tuple[Job, Ran]:
            job = chain.job("hold", sends=True).take("built", "proofs")
            legs = [word for each in job.take_each(*PLATFORMS) for word in ("--leg", each)]
            return job, job.run("release", *until, *legs, given=(*built_and_tested(chain), *images), **variables)

        one, other = (chain.digest(name, "images") for name in PLATFORMS)
        for given, code in (((one,), 4), ((one, one), 4), ((one, other, FORGED), 4), ((one, other, ""), 2)):
            _, ran = hold_with(*given, **engine.environ)
            assert (ran.code, ran.wrote - {"registry"}) == (code, set()), ran.err
        _, ran = hold_with(one, other, **NO_ENGINE)
        assert (ran.code, ran.wrote - {"registry"}) == (13, set()), ran.err  # it can load none of them
        hold, held = hold_with(one, other, **engine.environ)
        assert held.code == 0, held.err
        assert (held.project_code, held.wrote) == (set(), {"forge", "registry", "sigstore", "testpypi"})
        hold.upload("held")

        digests = (held.outputs["manifest-sha256"], held.outputs["images-sha256"])
        prove = chain.job("prove").take("held")
        prove.passes("release", "--until", "prove-testpypi", given=digests[:1], **NO_ENGINE)
        prove.upload("staged-proof", "*/proofs/prove-testpypi.json")
        publish = chain.job("publish", sends=True).take("held", "staged-proof")
        given = (*digests, chain.digest("prove", "prove-testpypi"))
        published = publish.passes("release", "--no-project-code", given=given, **NO_ENGINE)
        assert published.project_code == set()
        assert published.outputs["verified"] == "true"
