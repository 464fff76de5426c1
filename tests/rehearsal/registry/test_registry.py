"""The registry of the local world: a real one that requires tokens, with GHCR's answers where they differ."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from tests.rehearsal.conftest import PLAIN, LocalRegistries, requests_of
from tests.rehearsal.registry.oci_client import INDEX, RegistryClient, digest_of, error

from unmoor.rehearsal.faults import control
from unmoor.rehearsal.registry.tokens import Access, Signer, scopes

UPLOADS = "POST /v2/{name}/blobs/uploads/"
UPLOAD = "/v2/{name}/blobs/uploads/{upload}"

TAGS = ["1.10", "1.9", "B", "_x", "a", "a-1", "a.1", "b"]


@pytest.fixture
def package(name: str) -> str:
    """Return a package of the owner that no other test uses."""
    return f"acme/{name}"


@pytest.fixture
def tagged(registries: LocalRegistries, package: str) -> str:
    """Push an image with several tags, and return its package."""
    registries.oci().push(package, b"layer", *reversed(TAGS))
    return package


def test_push_and_pull(registries: LocalRegistries, package: str) -> None:
    """An image is pulled byte for byte, by digest and by tag, and anyone can pull it."""
    oci, stranger = registries.oci(), registries.oci("")
    digest = oci.push(package, b"layer", "1.0", "latest")
    assert oci.call("GET", f"{package}/tags/list").json()["tags"] == ["1.0", "latest"]
    for reference in ("1.0", "latest", digest):
        answer = stranger.pull(package, reference)
        assert (answer.headers["docker-content-digest"], digest_of(answer.content)) == (digest, digest)
        head = stranger.pull(package, reference, "HEAD")
        assert (head.headers["content-length"], head.content) == (str(len(answer.content)), b"")
    layer = stranger.call("GET", f"{package}/blobs/{digest_of(b'layer')}")
    assert (layer.content, layer.headers["docker-content-digest"]) == (b"layer", digest_of(b"layer"))
    part = stranger.call("GET", f"{package}/blobs/{digest_of(b'layer')}", headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"ay", "bytes 1-2/5")
    assert stranger.pull(package, "none").status_code == 404


def test_a_blob_in_pieces(registries: LocalRegistries, package: str) -> None:
    """A blob can come in several requests, each with a body of unknown length."""
    data = os.urandom(300_001)
    digest = registries.oci().blob(package, data, pieces=3)
    assert registries.oci().call("GET", f"{package}/blobs/{digest}").content == data


def test_an_existing_image_sends_no_blob(registries: LocalRegistries, package: str) -> None:
    """The log distinguishes blobs that were sent from those that were only checked."""
    oci = registries.oci()
    oci.push(package, b"layer", "1.0")

    def sent() -> list[str]:
        return [
            line["digest"]
            for line in requests_of(registries.world, server="registry", method="PUT", status=201)
            if line["path"].startswith(f"/v2/{package}/blobs/uploads/")
        ]

    before = sent()
    assert digest_of(b"layer") in before
    assert oci.call("HEAD", f"{package}/blobs/{digest_of(b'layer')}").status_code == 200
    assert oci.put(package, "1.1", oci.pull(package, "1.0").json()).status_code == 201
    assert sent() == before


def test_a_blob_of_another_package(registries: LocalRegistries, package: str) -> None:
    """Mounting a blob from another package needs a token for both packages."""
    oci = registries.oci()
    digest = oci.blob(package, b"shared")
    given = oci.token(f"repository:{package}-b:pull,push", f"repository:{package}:pull").json()["token"]
    headers = {"Authorization": f"Bearer {given}"}
    answer = oci.call("POST", f"{package}-b/blobs/uploads/?mount={digest}&from={package}", headers=headers)
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (201, digest)
    (line,) = requests_of(registries.world, mount=digest)
    assert (line["from"], line["status"]) == (package, 201)


def test_write_access(registries: LocalRegistries, package: str) -> None:
    """Without write access GHCR's refusal comes at the start of an upload; without a login it is another one."""
    reader, stranger = registries.oci("registry_read"), registries.oci("")
    registries.oci().push(package, b"layer", "1.0")
    refused = (403, "DENIED", "permission_denied: write_package")
    assert error(reader.begin(package)) == refused
    assert error(reader.put(package, "1.1", reader.pull(package, "1.0").json())) == refused
    assert error(registries.oci().begin("somebody/else")) == refused
    registries.oci().control("foreign", package)
    assert error(registries.oci().begin(package)) == refused
    assert error(stranger.begin(package))[:2] == (401, "UNAUTHORIZED")
    assert reader.pull(package, "1.0").status_code == 200


def test_wrong_passwords(registries: LocalRegistries, package: str) -> None:
    """A wrong or malformed password gets no token; the user name does not matter."""
    oci = registries.oci()
    for auth in (("x", "wrong"), ("", ""), ("rehearsal", oci.password + " ")):
        assert error(oci.token(f"repository:{package}:pull", auth=auth)) == (403, "DENIED", "denied")
    for text in ("Basic", "Basic !", "Bearer x"):
        answer = requests.get(f"{oci.base}/token", headers={"Authorization": text}, timeout=20)
        assert error(answer) == (403, "DENIED", "denied")
    assert oci.token(f"repository:{package}:pull", auth=("", oci.password)).status_code == 200


def test_foreign_tokens(registries: LocalRegistries, package: str) -> None:
    """The registry itself refuses a token that another key signed, or that was changed."""
    oci = registries.oci()
    ours = oci.token(f"repository:{package}:pull").json()["token"]
    theirs = Signer.make().token("writer", "ghcr.io", [Access("repository", package, ("pull", "push"))])
    head, claims, _ = ours.split(".")
    for token in (theirs, f"{head}.{claims}.{'A' * 86}", "x", "a.b.c"):
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.post(f"{oci.base}/v2/{package}/blobs/uploads/", headers=headers, timeout=20)
        assert answer.status_code == 401


def test_a_read_token_cannot_write(registries: LocalRegistries, package: str) -> None:
    """If a token lacks a scope that its owner can have, the answer is a challenge, so clients request more."""
    given = registries.oci().token(f"repository:{package}:pull").json()["token"]
    headers = {"Authorization": f"Bearer {given}"}
    answer = requests.post(f"{registries.oci().base}/v2/{package}/blobs/uploads/", headers=headers, timeout=20)
    assert answer.status_code == 401
    # The registry names the actions in no order of its own.
    scope = re.search(r'scope="repository:([^:"]+):([a-z,]+)"', answer.headers["www-authenticate"])
    assert scope is not None
    assert (scope[1], set(scope[2].split(","))) == (package, {"pull", "push"})


def test_the_form_of_buildx(registries: LocalRegistries, package: str) -> None:
    """A password in a form is not checked; clients then use the other way."""
    oci = registries.oci()
    form = {"grant_type": "password", "username": "x", "password": oci.password, "scope": f"repository:{package}:pull"}
    assert requests.post(f"{oci.base}/token", data=form, timeout=20).status_code == 405


def test_private_packages(registries: LocalRegistries, package: str) -> None:
    """While a package is private, there is no anonymous token for it, and earlier ones are not valid."""
    oci, stranger = registries.oci(), registries.oci("")
    oci.push(package, b"layer", "1.0")
    old = stranger.token(f"repository:{package}:pull").json()["token"]
    control = oci.control("private", f"acme/other\n{package}\n")
    assert error(stranger.token(f"repository:{package}:pull")) == (401, "UNAUTHORIZED", "authentication required")
    late = requests.get(
        f"{oci.base}/v2/{package}/manifests/1.0", headers={"Authorization": f"Bearer {old}"}, timeout=20
    )
    assert late.status_code == 401
    assert registries.oci("registry_read").pull(package, "1.0").status_code == 200
    control.write_text("*\n", encoding="utf-8")
    assert stranger.pull(package, "1.0").status_code == 401
    control.unlink()
    assert stranger.pull(package, "1.0").status_code == 200


def test_a_missing_package_is_not_public(registries: LocalRegistries, package: str) -> None:
    """Without a login, a missing package looks like a private one; with a login it does not."""
    assert registries.oci("").pull(package, "1.0").status_code == 401
    answer = registries.oci("registry_read").call("GET", f"{package}/tags/list")
    assert error(answer)[:2] == (404, "NAME_UNKNOWN")


def test_deleting(registries: LocalRegistries, package: str) -> None:
    """GHCR deletes no manifest, tag or blob; a plain registry deletes by digest."""
    unsupported = (405, "UNSUPPORTED", "The operation is unsupported.")
    oci = registries.oci()
    digest = oci.push(package, b"layer", "1.0")
    for what in (f"manifests/{digest}", "manifests/1.0", f"blobs/{digest_of(b'layer')}"):
        assert error(oci.call("DELETE", f"{package}/{what}")) == unsupported
    plain = registries.oci(host=PLAIN)
    assert plain.push("any/body", b"layer", "1.0") == digest
    assert plain.call("DELETE", f"any/body/manifests/{digest}").status_code == 202
    assert plain.pull("any/body", "1.0").status_code == 404
    assert oci.pull(package, "1.0").status_code == 200


def test_a_plain_registry(registries: LocalRegistries, name: str) -> None:
    """Any other registry answers as usual: a missing scope gets a challenge."""
    plain = registries.oci(host=PLAIN)
    plain.push(name, b"layer", "1.0")
    reader = registries.oci("registry_read", PLAIN)
    answer = reader.begin(name)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    plain.control("private", "*")
    assert registries.oci("", PLAIN).token(f"repository:{name}:pull").status_code == 200
    assert registries.oci("", PLAIN).pull(name, "1.0").status_code == 401


def test_an_index(registries: LocalRegistries, package: str) -> None:
    """An index over images is stored; the registry refuses one over a missing image."""
    oci = registries.oci()
    digest = oci.push(package, b"layer", "amd64")
    size = len(oci.pull(package, digest).content)
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    assert oci.put(package, "1.0", index).status_code == 201
    assert oci.pull(package, "1.0").headers["content-type"] == INDEX
    lacking = {**index, "manifests": [{**entry, "digest": digest_of(b"none")}]}
    assert oci.put(package, "1.1", lacking).status_code == 400


@pytest.mark.parametrize(
    ("query", "expected", "more"),
    [
        ("", TAGS, ""),
        ("?n=100", TAGS, ""),
        ("?n=8", TAGS, ""),
        ("?n=3", TAGS[:3], "last=B&n=3"),
        ("?n=3&last=B", TAGS[3:6], "last=a-1&n=3"),
        ("?last=a-1&n=3", TAGS[6:], ""),
        ("?last=a", TAGS[5:], ""),
        ("?last=1.95", TAGS[2:], ""),
        ("?last=%61", TAGS[5:], ""),
        ("?last=", TAGS, ""),
        ("?last=zzz", [], ""),
        ("?last=b&n=3", [], ""),
        ("?n=0", [], ""),
        ("?n=", TAGS, ""),
    ],
)
def test_a_list_of_tags(registries: LocalRegistries, tagged: str, query: str, expected: list[str], more: str) -> None:
    """Tags come in lexical order, after ``last`` whether it is a tag or not, with or without ``n``."""
    answer = registries.oci().call("GET", f"{tagged}/tags/list{query}")
    assert (answer.status_code, answer.json()) == (200, {"name": tagged, "tags": expected})
    link = f'</v2/{tagged}/tags/list?{more}>; rel="next"' if more else None
    assert answer.headers.get("link") == link


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "%D9%A1"])
def test_a_list_of_no_number_of_tags(registries: LocalRegistries, tagged: str, number: str) -> None:
    """It is refused, as the registry's next version does."""
    refused = error(registries.oci().call("GET", f"{tagged}/tags/list?n={number}"))
    assert refused == (400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")


def test_the_tags_of_nothing(registries: LocalRegistries, package: str) -> None:
    """A package that does not exist has no list, and one without tags has an empty one."""
    oci = registries.oci()
    assert oci.call("GET", f"{package}/tags/list?n=1").status_code == 404
    manifest = oci.image(package, b"x")
    assert oci.put(package, digest_of(json.dumps(manifest).encode()), manifest).status_code == 201
    answer = oci.call("GET", f"{package}/tags/list?last=a")
    assert answer.status_code == 404 or answer.json()["tags"] == []


def test_busy_once(registries: LocalRegistries, package: str) -> None:
    """One request gets 429, the next one works as usual."""
    oci = registries.oci()
    control.inject(registries.world.folder, f"busy@registry:{UPLOADS}#1")
    answer = oci.begin(package)
    assert (error(answer)[:2], answer.headers["retry-after"]) == ((429, "TOOMANYREQUESTS"), "1")
    assert oci.begin(package).status_code == 202


def test_broken(registries: LocalRegistries, package: str) -> None:
    """Every matching request gets 500 until the file is removed."""
    oci = registries.oci()
    control.inject(registries.world.folder, f"broken@registry:POST =/v2/{package}/*#1x0")
    assert [oci.begin(package).status_code for _ in range(3)] == [500] * 3
    assert oci.begin(f"{package}-b").status_code == 202
    control.clear(registries.world.folder)
    assert oci.begin(package).status_code == 202


def test_refused_writes(registries: LocalRegistries, package: str) -> None:
    """With the control file nobody can write."""
    oci = registries.oci()
    oci.control("refuse-write")
    assert error(oci.begin(package)) == (403, "DENIED", "permission_denied: write_package")


def test_a_lost_reply(registries: LocalRegistries, package: str) -> None:
    """A manifest is stored without an answer; other requests and the next manifest work as usual."""
    oci = registries.oci()
    manifest = oci.image(package, b"layer")
    # The client's first request has no token.
    fault = f"lost-reply@registry:PUT =/v2/{package}/manifests/1.0#2"
    control.inject(registries.world.folder, fault)
    assert oci.put(package, "sha-1", manifest).status_code == 201
    with pytest.raises(requests.ConnectionError):
        oci.put(package, "1.0", manifest)
    assert oci.pull(package, "1.0").status_code == 200
    assert oci.put(package, "1.0", manifest).status_code == 201
    assert [
        line["fault"]
        for line in requests_of(registries.world, path=f"/v2/{package}/manifests/1.0", method="PUT")
        if "fault" in line
    ] == [fault]


def test_a_reset_at_half_a_blob(registries: LocalRegistries, package: str) -> None:
    """The connection is reset in the middle of a blob; nothing is stored, and the next attempt succeeds."""
    oci = registries.oci()
    control.inject(registries.world.folder, f"reset-during@registry:PUT {UPLOAD}#2")
    data = os.urandom(2_000_000)
    with pytest.raises(requests.ConnectionError):
        oci.blob(package, data)
    assert oci.call("HEAD", f"{package}/blobs/{digest_of(data)}").status_code == 404
    assert oci.blob(package, data) == digest_of(data)


def test_tags_that_cannot_be_moved(registries: LocalRegistries, package: str) -> None:
    """A tag keeps its digest; the same digest is accepted again, and so is another tag."""
    oci = registries.oci()
    first, second = oci.image(package, b"first"), oci.image(package, b"second")
    oci.put(package, "1.0", first)
    oci.control("immutable")
    assert error(oci.put(package, "1.0", second))[:2] == (400, "TAG_INVALID")
    assert [oci.put(package, tag, first).status_code for tag in ("1.0", "1.1")] == [201, 201]
    assert oci.pull(package, "1.0").json() == first


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["repository:a/b:pull,push"], [Access("repository", "a/b", ("pull", "push"))]),
        (
            ["repository:a:pull repository:b:push", "registry:catalog:*"],
            [
                Access("repository", "a", ("pull",)),
                Access("repository", "b", ("push",)),
                Access("registry", "catalog", ("*",)),
            ],
        ),
        (["repository:host:5000/a:pull"], [Access("repository", "host:5000/a", ("pull",))]),
        (["", "x", "repository:a", "repository::pull", ":a:pull", "repository:a:"], []),
    ],
)
def test_scopes(texts: list[str], found: list[Access]) -> None:
    """Scopes can be repeated or in one text; invalid ones are skipped."""
    assert scopes(texts) == found


def test_the_log_has_no_secret(registries: LocalRegistries, package: str) -> None:
    """Passwords and tokens are only in the credentials and the world file."""
    oci = registries.oci()
    oci.push(package, b"layer", "1.0")
    given = oci.token(f"repository:{package}:pull").json()["token"]
    basic = base64.b64encode(f"anybody:{oci.password}".encode()).decode()
    holders = {"credentials.json", "world.toml"}
    for path in registries.world.folder.rglob("*"):
        if path.is_file() and path.name not in holders:
            data = path.read_bytes()
            assert not [secret for secret in (oci.password, given, basic) if secret.encode() in data], path


def peak(process: int) -> int:
    """Return the peak memory of a process, in bytes."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


@pytest.mark.parametrize("pieces", [1, 2], ids=["length known", "length unknown"])
@pytest.mark.journey
def test_blobs_are_streamed(registries: LocalRegistries, package: str, pieces: int) -> None:
    """A blob is streamed in both directions, and never in memory as a whole."""
    size = 100 << 20
    data = os.urandom(1 << 20) * 100
    before = peak(registries.world.process.pid)
    digest = registries.oci().blob(package, data, pieces=pieces)
    with registries.oci().call("GET", f"{package}/blobs/{digest}", stream=True) as answer:
        read = sum(len(piece) for piece in answer.iter_content(1 << 20))
    assert read == size
    assert peak(registries.world.process.pid) - before < 20 << 20


ODD: dict[str, Callable[[RegistryClient, str], requests.Response]] = {
    "capitals": lambda oci, name: oci.begin(f"Acme/{name.upper()}"),
    "dots": lambda oci, name: oci.pull(f"acme/..%2f..%2f{name}", "1.0"),
    "no name": lambda oci, _: oci.call("GET", "manifests/1.0"),
    "elsewhere": lambda oci, _: oci.call("GET", f"{oci.base}/nothing"),
    "catalogue": lambda oci, _: oci.call("GET", "_catalog"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_odd_requests(
    registries: LocalRegistries, name: str, odd: Callable[[RegistryClient, str], requests.Response]
) -> None:
    """Every malformed request is refused, and nothing breaks."""
    assert odd(registries.oci(), name).status_code in {400, 401, 403, 404}
    assert b"Traceback" not in (registries.world.folder / "serve.log").read_bytes()
