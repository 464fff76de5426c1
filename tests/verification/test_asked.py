"""What a user may ask to verify, and what is refused before anything is asked."""

from __future__ import annotations

import pytest

from unmoor.errors import Refused
from unmoor.verification.asked import VerifyRequest, is_safe_tag, read_identity, repository_in

TARGETS = {
    "v1.2.3": VerifyRequest(tag="v1.2.3"),
    "acme/demo@v1.2.3": VerifyRequest(repository="acme/demo", tag="v1.2.3"),
    "acme/demo@pkg/v1.2.3": VerifyRequest(repository="acme/demo", tag="pkg/v1.2.3"),
    "pkg@1.2.3": VerifyRequest(tag="pkg@1.2.3"),
    "Demo_Two==1.2": VerifyRequest(project="demo-two", version="1.2"),
    "demo==1.2.0-RC1": VerifyRequest(project="demo", version="1.2.0rc1"),
}


@pytest.mark.parametrize("text", TARGETS)
def test_a_target(text: str) -> None:
    """A package and its version, a tag, or a tag of a repository."""
    assert VerifyRequest.parse(text) == TARGETS[text]


@pytest.mark.parametrize(
    ("text", "why"),
    [("==1", "not the name"), ("demo==", "not a version"), ("demo==x", "not a version"), ("-x==1", "not the name")],
)
def test_no_package(text: str, why: str) -> None:
    """What cannot be a package is said."""
    with pytest.raises(ValueError, match=why):
        VerifyRequest.parse(text)


@pytest.mark.parametrize("text", ["--help", "acme/demo@../v1", "", "v1\nv2", "a/b@"])
def test_no_tag(text: str) -> None:
    """A name that no tag may have is never asked for."""
    with pytest.raises(Refused):
        VerifyRequest.parse(text)


def test_a_tag_from_outside() -> None:
    """A certificate may name anything as a tag."""
    assert is_safe_tag("pkg/v1.0")
    assert not any(map(is_safe_tag, ("", "../v1", "v1/../..", "-v1", "v1?x", "v1 x")))


def test_an_identity() -> None:
    """A repository, or a workflow file of one; neither a ref nor an address."""
    for good in ("acme/demo", "acme/demo/.github/workflows/release.yml"):
        assert read_identity(good) == good
    bad = (
        "acme",
        "acme/demo/",
        "https://github.com/acme/demo",
        "acme/demo/release.yml",
        "acme/demo/.github/workflows/a.yml@v1",
    )
    for each in bad:
        with pytest.raises(ValueError, match="neither a repository"):
            read_identity(each)


ADDRESSES = {
    "https://github.com/acme/demo": "acme/demo",
    "https://github.com/acme/demo.git": "acme/demo",
    "http://www.github.com/acme/demo/issues?x#y": "acme/demo",
    "https://github.com/acme": "",
    "https://github.com.evil.example/acme/demo": "",
    "https://evil.example/https://github.com/acme/demo": "",
    "github.com/acme/demo": "",
    "https://github.com/acme/..": "",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_repository_in_an_address(address: str) -> None:
    """Only addresses on the forge name one."""
    assert repository_in(address, "https://github.com") == ADDRESSES[address]
