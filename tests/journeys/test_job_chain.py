"""The jobs of a release, by commands: they hand over documents by digest; none with a credential runs project code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.job_chain import TAG, JobChain, start_chain

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
