"""The files of several jobs become one release, or the error names the two jobs that contradict each other."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path, PureWindowsPath
from typing import Any

import msgspec
import pytest
from tests.support import sample_values
from tests.support.beliefs import given

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover, built_files, merge_manifests
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.config_file import ConfigFile
from unmoor.errors import Conflict, Incomplete
from unmoor.products import Dists, Proof, Result, Subject, Tool, Verdict
from unmoor.util.values import replace

RELEASE = sample_values.sample_release()
SDIST = "small_one-1.0.tar.gz"
LINUX = "small_one-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
MAC = "small_one-1.0-cp311-cp311-macosx_11_0_arm64.whl"


def leg(
    folder: Path,
    *names: str,
    proven: bool = True,
    data: bytes = b"",
    results: tuple[Result, ...] = (),
    **changes: Any,
) -> Handover:
    """A run folder with files of these names, and a manifest that names and proves them, with more results."""
    (folder / "dists").mkdir(parents=True)
    for name in names:
        (folder / "dists" / name).write_bytes(name.encode() + data)
    files = tuple(describe_file(folder / "dists" / name) for name in names)
    dists = Dists(files=files, tools=(Tool(name="python", version="3.11"),), decisions=("formats = sdist",))
    proof = Proof(
        name="prove-dists",
        subjects=tuple(Subject(name=file.name, sha256=file.sha256) for file in files),
        results=(*(Result(name=f"{name}: imports", verdict=Verdict.PASSED) for name in names), *results),
    )
    manifest = replace(Manifest.of(RELEASE, dists, (proof,) if proven else ()), **changes)
    (folder / manifests.NAME).write_bytes(manifests.encode(manifest))
    return Handover.of(folder)


def read(*legs: Handover) -> list[tuple[Handover, Manifest]]:
    """The legs with their manifests."""
    belief = given(*(each.manifest for each in legs))
    return [(each, manifests.decode(each.read(belief), where="leg")) for each in legs]


def test_legs_are_one_release_in_any_order(tmp_path: Path) -> None:
    """Wheels first, one proof of all digests, no decision that was one leg's own; their order says nothing."""
    legs = read(leg(tmp_path / "a", SDIST), leg(tmp_path / "b", LINUX), leg(tmp_path / "c", MAC))
    whole = merge_manifests(legs)
    assert [each.name for each in whole.artifacts] == [MAC, LINUX, SDIST]
    (proof,) = whole.proofs
    assert {each.name for each in proof.subjects} == {MAC, LINUX, SDIST}
    assert len(proof.results) == 3
    assert whole.decisions == ()
    assert all(merge_manifests(other) == whole for other in permutations(legs))


def test_the_same_file_of_two_legs(tmp_path: Path) -> None:
    """A file that two legs name with the same bytes is one file."""
    legs = read(leg(tmp_path / "a", SDIST, LINUX), leg(tmp_path / "b", SDIST, MAC))
    assert [each.name for each in merge_manifests(legs).artifacts] == [MAC, LINUX, SDIST]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tag": "v1.1"}, "the tag is v1.0 in the first and v1.1 in the second"),
        ({"commit": "b" * 40}, "the commit is aaaa.* in the first and bbbb"),
        ({"version": "1.1"}, "the version is 1.0 in the first and 1.1 in the second"),
        ({"path": "sub"}, "the project's folder is the top in the first and sub in the second"),
        ({"project": "other"}, "the project is small-one in the first and other in the second"),
        ({"repository": "o/x"}, "the repository is o/n in the first and o/x in the second"),
        (
            {"settings": "x.toml sha256:0"},
            "the settings is of the commit in the first and x.toml sha256:0 in the second",
        ),
        (
            {"data": b"other"},
            f"{LINUX} has the sha256 [0-9a-f]{{64}} in .*/a/manifest.json and [0-9a-f]{{64}} in .*/b/",
        ),
        ({"names": ("small_one-1.0.zip",)}, r"more than one sdist: .*tar.gz \(.*/a/.*\.zip \(.*/b/"),
    ],
    ids=["tag", "commit", "version", "path", "project", "repository", "settings", "bytes", "sdists"],
)
def test_legs_at_odds(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    """Legs of two releases, other bytes under one name and a second sdist are refused, both sides named."""
    names = changes.pop("names", (LINUX,))
    first, second = leg(tmp_path / "a", SDIST, LINUX), leg(tmp_path / "b", *names, **changes)
    folder = RunFolder(tmp_path / "run", given(first.manifest, second.manifest))
    with pytest.raises(Conflict, match=words) as caught:
        folder.take([first, second])
    assert f"{tmp_path}/a" in str(caught.value)
    assert f"{tmp_path}/b" in str(caught.value)
    assert not folder.path.exists()


def test_other_spellings_of_one_project(tmp_path: Path) -> None:
    """A project's name in another spelling, and a repository's in other case, are the same."""
    other = leg(tmp_path / "b", MAC, project="Small.One", repository="O/N")
    assert merge_manifests(read(leg(tmp_path / "a", LINUX), other)).project == "Small.One"


def test_a_proof_that_comes_later_is_taken_over(tmp_path: Path) -> None:
    """The same files handed over once more bring the proofs that were missing; what was proven here stays."""
    first = [leg(tmp_path / "a", SDIST), leg(tmp_path / "b", MAC, proven=False)]
    later = [Handover.of(tmp_path / "a"), leg(tmp_path / "c", MAC)]
    folder = RunFolder(tmp_path / "run", given(*(each.manifest for each in (*first, *later))))
    folder.take(first)
    before = folder.read_known()
    assert before is not None
    assert [len(each.subjects) for each in before.proofs] == [1]
    folder.take(later)
    after = folder.read_known()
    assert after is not None
    assert [len(each.subjects) for each in after.proofs] == [2]
    own = replace(after.proofs[0], results=(Result(name="own", verdict=Verdict.PASSED),))
    folder.write_build(replace(after, proofs=(own,)))
    folder.take(later)
    kept = folder.read_known()
    assert kept is not None
    assert kept.proofs == (own,)


def loose_proof(folder: Path, text: bytes = b"", *, name: str = "prove-dists") -> Path:
    """A proof beside the manifest of a leg, about the files of that one, or with another text."""
    manifest = manifests.decode((folder / manifests.NAME).read_bytes(), where="leg")
    subjects = tuple(Subject(name=each.name, sha256=each.sha256) for each in manifest.artifacts)
    proof = Proof(name=name, subjects=subjects, results=(Result(name="all: imports", verdict=Verdict.PASSED),))
    (folder / "proofs").mkdir(exist_ok=True)
    file = folder / "proofs" / "prove-dists.json"
    file.write_bytes(text or msgspec.json.encode(proof))
    return file


@pytest.mark.parametrize("legs", [1, 2])
def test_a_proof_beside_the_manifest_counts_by_its_own_digest(tmp_path: Path, legs: int) -> None:
    """The files are those that were handed over before their tests ran, and the proof is theirs."""
    handed = [leg(tmp_path / name, file, proven=False) for name, file in (("a", SDIST), ("b", MAC))][:legs]
    proofs = [loose_proof(each.manifest.parent) for each in handed]
    folder = RunFolder(tmp_path / "run", given(*(each.manifest for each in handed), *proofs))
    folder.take(handed)
    known = folder.read_known()
    assert known is not None
    (proof,) = known.proofs
    assert {each.name for each in proof.subjects} == set([SDIST, MAC][:legs])
    folder.belief.require_matched("here")


@pytest.mark.parametrize(
    ("text", "name", "digests"),
    [(b"", "prove-dists", 0), (b"{", "prove-dists", 1), (b"", "rebuild", 1), (b"[]", "prove-dists", 1)],
    ids=["no digest", "no JSON", "another proof", "another document"],
)
def test_a_proof_beside_the_manifest_that_does_not_count(tmp_path: Path, text: bytes, name: str, digests: int) -> None:
    """Without a digest of its own, or if it is none of that name, nothing is proven, and the files are taken over."""
    handed = leg(tmp_path / "a", SDIST, proven=False)
    proof = loose_proof(tmp_path / "a", text, name=name)
    folder = RunFolder(tmp_path / "run", given(handed.manifest, *[proof] * digests))
    folder.take([handed])
    known = folder.read_known()
    assert known is not None
    assert known.proofs == ()
    assert [each.name for each in known.artifacts] == [SDIST]


WINDOWS = "small_one-1.0-cp311-cp311-win_amd64.whl"
PURE = "small_one-1.0-py3-none-any.whl"
CONFIG = "deadline = 100\n# a comment\n"


def windows_leg(folder: Path, *names: str) -> Handover:
    """A leg of a machine with Windows: its git wrote the settings file with other line ends, its paths ignore case."""
    ordered = [path.name for path in sorted(map(PureWindowsPath, names))]
    settings = ConfigFile(name=PureWindowsPath("ci\\Release.toml").name, data=CONFIG.replace("\n", "\r\n").encode())
    module = Result(name=f"{PURE}: import of small_windows", verdict=Verdict.PASSED)
    return leg(folder, *ordered, results=(module,), settings=settings.origin, path="packages/one")


def test_a_leg_of_windows(tmp_path: Path) -> None:
    """It merges with legs of Linux: one release, in which each machine answers for what the other could not test."""
    settings = ConfigFile(name="Release.toml", data=CONFIG.encode()).origin
    module = Result(name=f"{PURE}: import of small_windows", verdict=Verdict.NOT_TESTED, detail="a job would test it")
    other = replace(module, name=f"{PURE}: import of small_mac")
    linux = leg(tmp_path / "a", SDIST, PURE, results=(module, other), settings=settings, path="packages/one")
    legs = read(linux, windows_leg(tmp_path / "b", WINDOWS, PURE))
    whole = merge_manifests(legs)
    assert merge_manifests(legs[::-1]) == whole
    assert [each.name for each in whole.artifacts] == [WINDOWS, PURE, SDIST]
    assert whole.is_complete("prove-dists")
    (proof,) = whole.proofs
    assert proof.untested == (other,)
    assert b"\\" not in manifests.encode(whole)
    assert b"\r" not in manifests.encode(whole)


def test_the_order_of_files_is_that_of_text(tmp_path: Path) -> None:
    """A folder is listed in one order on every system, though Windows compares paths without regard to case."""
    names = ("B-1.0-py3-none-any.whl", "a-1.0-py3-none-any.whl", "C-1.0.tar.gz", "b-1.0.tar.gz")
    for name in reversed(names):
        (tmp_path / name).touch()
    assert [path.name for path in built_files(tmp_path)[0]] == list(names)


def test_a_folder_that_another_tool_filled(tmp_path: Path) -> None:
    """Wheels and sdists are the files of a release, whatever else lies there; a folder without any is refused."""
    with pytest.raises(Incomplete, match="neither a wheel nor an sdist"):
        built_files(tmp_path)
    for name in (SDIST, LINUX, "build.log"):
        (tmp_path / name).touch()
    (tmp_path / "x.whl").mkdir()
    files, others = built_files(tmp_path)
    assert [path.name for path in files] == [LINUX, SDIST]
    assert others == ["build.log", "x.whl"]
