"""Names, digests and manifests, by the specifications."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.real_registries import make_image

from unmoor.artifacts import oci
from unmoor.artifacts.oci import ImageName, ImageReference
from unmoor.errors import ConfigError, Unknown

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ghcr.io/owner/name", "ghcr.io/owner/name"),
        ("GHCR.io/Owner/Name", "ghcr.io/owner/name"),
        ("owner/name", "docker.io/owner/name"),
        ("name", "docker.io/library/name"),
        ("docker.io/name", "docker.io/library/name"),
        ("index.docker.io/owner/name", "docker.io/owner/name"),
        ("registry-1.docker.io/owner/name", "docker.io/owner/name"),
        ("localhost/name", "localhost/name"),
        ("localhost:5000/a/b/c", "localhost:5000/a/b/c"),
        ("127.0.0.1:5000/name", "127.0.0.1:5000/name"),
        ("example.org/a__b/c-d--e.f_g", "example.org/a__b/c-d--e.f_g"),
    ],
)
def test_a_name_is_read_as_engines_read_it(text: str, expected: str) -> None:
    """With Docker Hub where no registry is named, and in small letters."""
    assert str(ImageName.parse(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "/", "ghcr.io/", "ghcr.io//name", "a b", "a/../b", "a/-b", "ghcr.io/a/b:tag", "a" * 300, "ä/b"),
        *("a..b/c", "http://a/b", "x:0/y", "user@ghcr.io/a", "a/b_", "ghcr.io/a\nb", "ghcr.io/a\x1b[2J"),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """Before it becomes part of any address."""
    with pytest.raises(ConfigError):
        ImageName.parse(text)


@pytest.mark.parametrize(
    ("text", "tag", "digest"),
    [
        ("ghcr.io/a/b", None, None),
        ("ghcr.io/a/b:1.0", "1.0", None),
        (f"ghcr.io/a/b@{DIGEST}", None, DIGEST),
        (f"localhost:5000/b:1.0@{DIGEST}", "1.0", DIGEST),
    ],
)
def test_a_reference_has_a_tag_a_digest_both_or_none(text: str, tag: str | None, digest: str | None) -> None:
    """And is written as it was read."""
    found = ImageReference.parse(text)
    assert (found.tag, found.digest) == (tag, digest)
    assert str(found) == text


@pytest.mark.parametrize("text", ["a/b:", "a/b@", "a/b:-x", "a/b@sha256:1", "a/b:x y", f"a/b@md5:{'a' * 32}"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    """Nothing is cut off or guessed."""
    with pytest.raises(ConfigError):
        ImageReference.parse(text)


@pytest.mark.parametrize(
    ("tag", "right"),
    [
        *((tag, True) for tag in ("v1.0", "_x", "x" * 128)),
        *((tag, False) for tag in ("x" * 129, ".x", "-x", "", "a/b", "a:b", "1.0\n", "é")),
    ],
)
def test_tags_are_those_of_the_specification(tag: str, *, right: bool) -> None:
    """No more, no fewer."""
    assert oci.is_tag(tag) is right


@given(st.text(max_size=200))
def test_whatever_is_taken_is_plain(text: str) -> None:
    """A name, tag or digest that is taken holds nothing that an address, a path or a terminal reads in its own way."""
    plain = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    if oci.is_tag(text):
        assert set(text) <= plain
    if oci.is_digest(text):
        assert set(text) <= plain | {":"}
    try:
        name = str(ImageName.parse(text))
    except ConfigError:
        return
    assert set(name) <= plain | set("/:[]")
    assert ".." not in name
    assert str(ImageName.parse(name)) == name


def test_what_is_for_no_platform_is_no_image() -> None:
    """Attestations lie in an index, too."""
    described = {"mediaType": oci.OCI_MANIFEST, "digest": DIGEST, "size": 1}
    unknown = {**described, "platform": {"os": "unknown", "architecture": "unknown"}}
    platform = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    mine = {**described, "digest": f"sha256:{'b' * 64}", "platform": platform}
    data = json.dumps({"schemaVersion": 2, "manifests": [unknown, mine, described]}).encode()
    document = oci.read_manifest(data, oci.OCI_INDEX, where="here")
    assert isinstance(document, oci.ImageIndex)
    assert document.images == {"linux/arm64": f"sha256:{'b' * 64}"}
    assert len(document.manifests) == 3


GOOD: dict[str, Any] = json.loads(make_image("good").manifest.data)


@pytest.mark.parametrize(
    ("changes", "media_type", "words"),
    [
        ({"schemaVersion": 1}, oci.OCI_MANIFEST, "schema version is 1"),
        ({}, oci.DOCKER_MANIFEST, "says otherwise"),
        ({}, "text/html", "media type is text/html"),
        ({}, "", "not given"),
        ({"config": None}, oci.OCI_MANIFEST, "configuration"),
        ({"manifests": []}, oci.OCI_MANIFEST, "disagree on whether it is an index"),
        ({"mediaType": ""}, oci.OCI_INDEX, "disagree on whether it is an index"),
        ({"config": {**GOOD["config"], "digest": "sha256:1"}}, oci.OCI_MANIFEST, "without a sha256"),
        ({"layers": "none"}, oci.OCI_MANIFEST, "layers"),
    ],
)
def test_a_manifest_that_is_not_what_it_says_is_unknown(changes: dict[str, Any], media_type: str, words: str) -> None:
    """It is never guessed what it may have been."""
    with pytest.raises(Unknown, match=words):
        oci.read_manifest(json.dumps(GOOD | changes).encode(), media_type, where="here")


@pytest.mark.parametrize("data", [b"", b"<html>", b"[" * 100_000, b"\xff\xfe", b"null", b"[]"])
def test_what_is_no_manifest_at_all_is_unknown(data: bytes) -> None:
    """Nor does it break anything."""
    with pytest.raises(Unknown):
        oci.read_manifest(data, oci.OCI_MANIFEST, where="here")


@pytest.mark.parametrize(
    ("tag", "subject"),
    [
        (f"sha256-{'a' * 64}.sig", DIGEST),
        (f"sha256-{'a' * 64}", DIGEST),
        (f"sha256-{'a' * 63}", None),
        ("sha-0123456", None),
        ("latest", None),
    ],
)
def test_some_tags_say_something_about_a_digest(tag: str, subject: str | None) -> None:
    """Signatures, and referrers where there is no API for them."""
    assert oci.subject_of_tag(tag) == subject


def test_a_leg_has_a_tag_of_its_own() -> None:
    """With the platform in it."""
    assert oci.leg_tag("sha-0123", "linux/arm/v7") == "sha-0123-linux-arm-v7"
    assert oci.leg_tag("sha-0123", "linux/arm64/v8") == "sha-0123-linux-arm64"
