"""What is expected of a release, from the end of one without faults."""

from __future__ import annotations

import pytest

from unmoor.rehearsal.invariants.evidence import ImageExpected
from unmoor.rehearsal.invariants.expectation import expect
from unmoor.rehearsal.invariants.final_state import FinalState, PageState

COMMIT = "a" * 40


def ended(version: str, tags: dict[str, str], *, draft: bool = False) -> FinalState:
    """The end of a release, with an image at these tags, each for a build."""
    files = {f"demo-{version}.tar.gz": "1" * 64, "demo-0.1.tar.gz": "2" * 64}
    page = PageState(
        draft=draft, prerelease="rc" in version, target=COMMIT, name="", body="", assets={"SHA256SUMS": "3"}
    )
    return FinalState(
        indexes={"pypi": {"demo": files}, "testpypi": {}},
        pages={f"v{version}": (page,)},
        latest="v0.1" if "rc" in version else f"v{version}",
        images={"ghcr.io/acme/demo": {tag: (build,) for tag, build in tags.items()}},
    )


@pytest.mark.parametrize(
    ("version", "own", "floating"),
    [
        ("1.0", ("v1.0",), ("1.0", "1", "latest")),
        ("1.2.3", ("v1.2.3", "1.2.3"), ("1.2", "1", "latest")),
        ("1.2.3rc1", ("v1.2.3rc1", "1.2.3rc1"), ()),
        ("1.2.3", ("v1.2.3", "1.2.3-dev"), ("1.2-dev", "latest-dev")),
    ],
    ids=["two parts", "three", "candidate", "target"],
)
def test_tags_of_images(version: str, own: tuple[str, ...], floating: tuple[str, ...]) -> None:
    """Those of the version, and those that lead to the same image and will move; no other version's."""
    others = {"sha-0123456": "built", "0.1.0": "old", "v0.1.0": "old", "0.1": "old", "0": "old"}
    state = ended(version, dict.fromkeys((*own, *floating), "built") | others)
    found = expect(state, repository="acme/demo", project="demo", tag=f"v{version}", version=version, commit=COMMIT)
    assert found.images == (ImageExpected(host="ghcr.io", name="acme/demo", tags=own, floating=floating),)
    assert found.files == {f"demo-{version}.tar.gz": "1" * 64}
    assert (found.prerelease, found.highest, found.staging) == ("rc" in version, "rc" not in version, False)


def test_no_release() -> None:
    """A draft is no release."""
    with pytest.raises(ValueError, match=r"no release page of v1\.0"):
        expect(ended("1.0", {}, draft=True), repository="", project="demo", tag="v1.0", version="1.0", commit=COMMIT)
