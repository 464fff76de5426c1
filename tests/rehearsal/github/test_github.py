"""The local forge answers as GitHub does; each answer is compared with GitHub's OpenAPI description."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from github import Auth, Github, GithubException
from tests.rehearsal.conftest import requests_of, world_table
from tests.rehearsal.github.contract import ForgeClient
from tests.support.git_repos import Repo

from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld


@pytest.fixture
def forge(world: LocalWorld) -> Iterator[ForgeClient]:
    """A client of the forge with push access. All releases are deleted after each test."""
    forge = ForgeClient(world.addresses["forge"], world_table(world)["forge"]["token"])
    yield forge
    for release in forge.call("GET", "/releases?per_page=100").json():
        assert forge.call("DELETE", f"/releases/{release['id']}").status_code == 204


@pytest.fixture
def reader(world: LocalWorld) -> ForgeClient:
    """A client of the forge with read access."""
    return ForgeClient(world.addresses["forge"], json.loads((world.folder / "credentials.json").read_text())["read"])


@pytest.fixture
def anybody(world: LocalWorld) -> ForgeClient:
    """A client of the forge without credentials."""
    return ForgeClient(world.addresses["forge"], "")


def errors(answer: requests.Response) -> list[dict[str, str]]:
    """Return the errors of a 422."""
    assert answer.status_code == 422
    found: list[dict[str, str]] = answer.json()["errors"]
    return found


def test_the_repository(forge: ForgeClient, reader: ForgeClient, anybody: ForgeClient) -> None:
    """The repository has the permissions of the token; without a token it has none."""
    assert [who.call("GET", "").json()["permissions"]["push"] for who in (forge, reader)] == [True, False]
    answer = anybody.call("GET", "").json()
    assert "permissions" not in answer
    assert (answer["full_name"], answer["default_branch"], answer["private"]) == ("acme/demo", "main", False)


def test_the_user(forge: ForgeClient, anybody: ForgeClient) -> None:
    """A token belongs to a user; without a token the request is refused."""
    assert forge.call("GET", f"{forge.base}/api/v3/user").json()["login"] == "rehearsal"
    assert anybody.call("GET", f"{forge.base}/api/v3/user").status_code == 401


def test_bad_token(world: LocalWorld) -> None:
    """A wrong token is refused, even if none is needed."""
    answer = ForgeClient(world.addresses["forge"], "ghs_wrong").call("GET", "")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_another_repository(forge: ForgeClient) -> None:
    """Any other repository is unknown; case does not matter."""
    assert forge.call("GET", f"{forge.base}/api/v3/repos/acme/other/releases").status_code == 404
    assert forge.call("GET", f"{forge.base}/api/v3/repos/ACME/Demo/releases").status_code == 200


def test_refs_and_tags(forge: ForgeClient) -> None:
    """Refs are those of the bare remote; an annotated tag has its commit."""
    light = forge.call("GET", "/git/ref/tags%2Fv0.1.0").json()
    assert light["object"]["type"] == "commit"
    annotated = forge.call("GET", "/git/ref/tags%2Fv0.2.0").json()
    assert annotated["object"]["type"] == "tag"
    tag = forge.call("GET", f"/git/tags/{annotated['object']['sha']}").json()
    assert (tag["tag"], tag["message"], tag["object"]["type"]) == ("v0.2.0", "The second one\n", "commit")
    assert tag["tagger"]["date"] == "2023-11-14T22:13:20Z"
    found = forge.call("GET", "/git/matching-refs/tags%2Fv0").json()
    assert [ref["ref"] for ref in found] == ["refs/tags/v0.1.0", "refs/tags/v0.2.0"]
    assert forge.call("GET", "/git/ref/tags%2Fv0").status_code == 404
    assert forge.call("GET", f"/git/tags/{light['object']['sha']}").status_code == 404


def test_a_draft_is_hidden(forge: ForgeClient, reader: ForgeClient, anybody: ForgeClient) -> None:
    """Only push access lists drafts; nobody finds a draft by its tag, or its assets on the site."""
    draft = forge.make("v0.1.0")
    asset = forge.attach(draft, "a.txt", b"text").json()
    assert [release["id"] for release in forge.call("GET", "/releases").json()] == [draft["id"]]
    assert forge.call("GET", "/releases/tags/v0.1.0").status_code == 404
    for other in (reader, anybody):
        assert other.call("GET", "/releases").json() == []
        assert other.call("GET", f"/releases/{draft['id']}").status_code == 404
        assert other.call("GET", f"/releases/assets/{asset['id']}").status_code == 404
    assert requests.get(asset["browser_download_url"], timeout=20).status_code == 404
    assert "untagged-" in draft["html_url"]


def test_drafts_are_not_unique(forge: ForgeClient) -> None:
    """A tag can have two drafts, but only one of them can be published."""
    first, second = forge.make("v0.1.0"), forge.make("v0.1.0")
    assert forge.change(first, draft=False).status_code == 200
    assert errors(forge.change(second, draft=False)) == [
        {"resource": "Release", "code": "already_exists", "field": "tag_name"}
    ]
    refused = forge.call("POST", "/releases", json={"tag_name": "v0.1.0"})
    assert errors(refused)[0]["code"] == "already_exists"


def test_published(forge: ForgeClient, anybody: ForgeClient) -> None:
    """A published release is found by its tag, and its assets are public."""
    draft = forge.make("v0.2.0", name="v0.2.0", body="notes")
    forge.attach(draft, "a.txt", b"text")
    forge.change(draft, draft=False, prerelease=False, make_latest="true")
    release = anybody.call("GET", "/releases/tags/v0.2.0").json()
    assert (release["draft"], release["body"], release["name"]) == (False, "notes", "v0.2.0")
    assert release["assets"][0]["digest"] == f"sha256:{hashlib.sha256(b'text').hexdigest()}"
    assert requests.get(release["assets"][0]["browser_download_url"], timeout=20).content == b"text"
    assert requests.get(release["html_url"], timeout=20).status_code == 200


LATEST: dict[str, tuple[list[tuple[str, dict[str, Any]]], str | None]] = {
    "nothing published": ([("v1.0.0", {})], None),
    "true by default": ([("v1.0.0", {"draft": False})], "v1.0.0"),
    "the last one published": ([("v2.0.0", {"draft": False}), ("v1.0.0", {"draft": False})], "v1.0.0"),
    "not to be latest": (
        [("v2.0.0", {"draft": False}), ("v1.0.0", {"draft": False, "make_latest": "false"})],
        "v2.0.0",
    ),
    "legacy compares": (
        [("v2.0.0", {"draft": False}), ("v1.0.0", {"draft": False, "make_latest": "legacy"})],
        "v2.0.0",
    ),
    "legacy moves up": (
        [("v1.0.0", {"draft": False}), ("v2.0.0", {"draft": False, "make_latest": "legacy"})],
        "v2.0.0",
    ),
    "never a prerelease": (
        [("v1.0.0", {"draft": False}), ("v2.0.0rc1", {"draft": False, "prerelease": True})],
        "v1.0.0",
    ),
    "none to be latest": ([("v1.0.0", {"draft": False, "make_latest": "false"})], None),
}


@pytest.mark.parametrize(("steps", "latest"), LATEST.values(), ids=LATEST)
def test_latest(
    forge: ForgeClient, anybody: ForgeClient, steps: list[tuple[str, dict[str, Any]]], latest: str | None
) -> None:
    """The latest release is the one that was made the latest last; publishing does that by default."""
    for tag, words in steps:
        forge.change(forge.make(tag, target_commitish="main"), **words)
    answer = anybody.call("GET", "/releases/latest")
    assert (answer.json()["tag_name"] if answer.status_code == 200 else None) == latest


def test_latest_stays_on_update(forge: ForgeClient) -> None:
    """Editing a published release does not make it the latest; deleting the latest restores the previous one."""
    first, second = forge.make("v0.1.0", draft=False), forge.make("v0.2.0", draft=False)
    forge.change(first, body="other")
    assert forge.call("GET", "/releases/latest").json()["id"] == second["id"]
    forge.call("DELETE", f"/releases/{second['id']}")
    assert forge.call("GET", "/releases/latest").json()["id"] == first["id"]


def test_publishing_makes_the_tag(forge: ForgeClient, world: LocalWorld) -> None:
    """A missing tag is made at the target when the release is published, not before."""
    remote = Repo(world.folder / "remote.git")
    head, tag = remote.git("rev-parse", "main"), "v9.0.0"
    draft = forge.make(tag, target_commitish=head)
    assert tag not in remote.git("tag", "--list")
    forge.change(draft, draft=False)
    assert remote.git("rev-parse", tag) == head
    existing = forge.make("v0.1.0", target_commitish=head, draft=False)
    assert remote.git("rev-parse", existing["tag_name"]) != head


@pytest.mark.parametrize("target", ["HEAD", "v0.1.0", "nothing", "abcdef0", "0" * 40])
def test_targets_refused(forge: ForgeClient, target: str) -> None:
    """A target is a branch or a full commit: not a tag, HEAD, a short hash, or an unknown name."""
    answer = forge.call("POST", "/releases", json={"tag_name": "v8.0.0", "target_commitish": target, "draft": True})
    assert errors(answer) == [{"resource": "Release", "code": "invalid", "field": "target_commitish"}]


@pytest.mark.parametrize(
    ("words", "field", "code"),
    [
        ({}, "tag_name", "missing_field"),
        ({"tag_name": "a b"}, "tag_name", "custom"),
        ({"tag_name": "../x"}, "tag_name", "custom"),
        ({"tag_name": "v0.1.0", "body": "x" * 125_001}, "body", "custom"),
    ],
)
def test_releases_refused(forge: ForgeClient, words: dict[str, Any], field: str, code: str) -> None:
    """Invalid fields of a release are refused with 422 and the field's name."""
    error = errors(forge.call("POST", "/releases", json=words))[0]
    assert (error["resource"], error["field"], error["code"]) == ("Release", field, code)


def test_body_at_the_limit(forge: ForgeClient) -> None:
    """A body of 125,000 characters is accepted; one more is refused with GitHub's message."""
    draft = forge.make("v0.1.0", body="ä" * 125_000)
    error = errors(forge.change(draft, body="x" * 125_001))[0]
    assert error["message"] == "body is too long (maximum is 125000 characters)"


@pytest.mark.parametrize(
    ("data", "status"), [(b"{", 400), (b'{"tag_name": "v1", "draft": "yes"}', 422), (b'["tag"]', 422)]
)
def test_malformed_bodies(forge: ForgeClient, data: bytes, status: int) -> None:
    """A body that is not JSON, or has the wrong types, is refused."""
    address = f"{forge.base}{forge.root}/releases"
    headers = {"Authorization": f"token {forge.token}"}
    assert requests.post(address, data=data, headers=headers, timeout=20).status_code == status


WRITES = [
    ("POST /releases", {"json": {"tag_name": "v0.1.0", "draft": True}}),
    ("PATCH /releases/{id}", {"json": {"name": "x"}}),
    ("DELETE /releases/{id}", {}),
    ("PATCH /releases/assets/{asset}", {"json": {"name": "x"}}),
    ("DELETE /releases/assets/{asset}", {}),
    ("POST {upload}?name=b.txt", {"data": b"x" * 300_000}),
]


@pytest.mark.parametrize(("write", "how"), WRITES)
def test_writes_need_push_access(
    forge: ForgeClient, reader: ForgeClient, anybody: ForgeClient, write: str, how: dict[str, Any]
) -> None:
    """Read access gets 403 for every write, no token gets 401, and nothing changes."""
    release = forge.make("v0.1.0", draft=False)
    asset = forge.attach(release, "a.txt", b"text").json()
    before = forge.call("GET", "/releases").json()
    method, _, path = write.partition(" ")
    at = path.format(id=release["id"], asset=asset["id"], upload=release["upload_url"].partition("{")[0])
    refused = reader.call(method, at, **how)
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    assert anybody.call(method, at, **how).status_code == 401
    assert forge.call("GET", "/releases").json() == before


def test_an_asset(forge: ForgeClient) -> None:
    """An asset is listed with size, state and digest; its bytes come from another server, by a signed address."""
    draft = forge.make("v0.1.0")
    made = forge.attach(draft, "a.txt", b"text").json()
    assert (made["size"], made["state"]) == (4, "uploaded")
    assert forge.call("GET", f"/releases/{draft['id']}/assets").json() == [made]
    assert forge.call("GET", f"/releases/assets/{made['id']}").json() == made
    binary = {"Accept": "application/octet-stream"}
    leads = forge.call("GET", f"/releases/assets/{made['id']}", headers=binary)
    assert leads.status_code == 302
    address = leads.headers["location"]
    assert urlsplit(address).netloc != urlsplit(forge.base).netloc
    assert requests.get(address, timeout=20).content == b"text"
    assert requests.get(address, headers={"Authorization": "Bearer x"}, timeout=20).status_code == 400
    assert requests.get(f"{address[:-1]}x", timeout=20).status_code == 403
    assert forge.call("DELETE", f"/releases/assets/{made['id']}").status_code == 204
    assert forge.call("GET", f"/releases/{draft['id']}/assets").json() == []
    assert requests.get(address, timeout=20).status_code == 404


def test_a_second_asset_of_a_name(forge: ForgeClient) -> None:
    """A second asset of a name is refused with GitHub's message, even if only the normalized name is the same."""
    draft = forge.make("v0.1.0")
    assert forge.attach(draft, "a b~c.txt", b"text").json()["name"] == "a.b.c.txt"
    for name in ("a b~c.txt", "a.b.c.txt"):
        answer = forge.attach(draft, name, b"x" * 300_000)
        assert answer.json()["message"] == "Validation Failed"
        assert errors(answer) == [{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("demo-1.0%2Bcpu-py3-none-any.whl", "demo-1.0+cpu-py3-none-any.whl"),
        ("demo-1.0+cpu-py3-none-any.whl", "demo-1.0.cpu-py3-none-any.whl"),
        ("a%20b.txt", "a.b.txt"),
        (".a%2Bb.", "a+b"),
        ("%C3%A9%2B.txt", "+.txt"),
        ("a%2540b", "a.40b"),
    ],
)
def test_an_encoded_plus_sign_stays(forge: ForgeClient, query: str, name: str) -> None:
    """A plus sign that is not encoded is a blank, which GitHub replaces as it does every other character."""
    draft = forge.make("v0.1.0")
    address = draft["upload_url"].partition("{")[0]
    headers = {"Content-Type": "application/octet-stream"}
    assert forge.call("POST", f"{address}?name={query}", data=b"text", headers=headers).json()["name"] == name


CHUNKED = "Transfer-Encoding: chunked\r\n"
UNSIZED = {
    "in pieces": (CHUNKED, b"4\r\ntext\r\n0\r\n\r\n"),
    "in pieces, with a length": (f"{CHUNKED}Content-Length: 4\r\n", b"4\r\ntext\r\n0\r\n\r\n"),
    "in pieces that never come": (f"{CHUNKED}Content-Length: 0\r\n", b""),
    "in pieces that never end": (CHUNKED, b"4\r\ntext\r\n"),
    "nothing": ("", b""),
}


@pytest.mark.parametrize("case", UNSIZED)
def test_an_asset_needs_a_length(forge: ForgeClient, case: str) -> None:
    """GitHub takes no asset in pieces, and answers at once, even a client that announces pieces and sends none."""
    head, body = UNSIZED[case]
    draft = forge.make("v0.1.0")
    where = urlsplit(draft["upload_url"].partition("{")[0])
    request = (
        f"POST {where.path}?name=a.txt HTTP/1.1\r\nHost: {where.netloc}\r\n"
        f"Authorization: Bearer {forge.token}\r\n{head}\r\n"
    )
    with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=5) as connection:
        connection.sendall(request.encode() + body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["message"]) == (400, "Bad Content-Length: ")
        assert connection.recv(1) == b""
    assert forge.call("GET", f"/releases/{draft['id']}/assets").json() == []


def test_an_empty_file_from_pygithub_is_refused(forge: ForgeClient, tmp_path: Path) -> None:
    """It would wait for its time-out if the forge waited for the rest of the body."""
    draft = forge.make("v0.1.0")
    (tmp_path / "empty.txt").touch()
    client = Github(
        base_url=f"{forge.base}/api/v3", auth=Auth.Token(forge.token), retry=None, timeout=5, seconds_between_requests=0
    )
    release = client.get_repo("acme/demo").get_release(draft["id"])
    with pytest.raises(GithubException, match="Bad Content-Length") as caught:
        release.upload_asset(str(tmp_path / "empty.txt"))
    assert caught.value.status == 400


@pytest.mark.parametrize(("name", "data"), [("a.txt", b""), ("", b"text"), ("...", b"text")])
def test_assets_refused(forge: ForgeClient, name: str, data: bytes) -> None:
    """An asset without bytes or without a name is refused."""
    draft = forge.make("v0.1.0")
    assert errors(forge.attach(draft, name, data))
    assert forge.call("GET", f"/releases/{draft['id']}/assets").json() == []


def test_renaming_an_asset(forge: ForgeClient) -> None:
    """An asset can be renamed, if the new name is free."""
    draft = forge.make("v0.1.0")
    first, _ = (forge.attach(draft, name, b"text").json() for name in ("a.txt", "b.txt"))
    here = f"/releases/assets/{first['id']}"
    assert errors(forge.call("PATCH", here, json={"name": "b.txt"}))[0]["code"] == "already_exists"
    renamed = forge.call("PATCH", here, json={"name": "c.txt", "label": "the third"}).json()
    assert (renamed["name"], renamed["label"]) == ("c.txt", "the third")


def test_an_interrupted_upload(forge: ForgeClient, world: LocalWorld) -> None:
    """An interrupted upload leaves an asset in the state 'starter', which blocks the name until it is deleted."""
    draft = forge.make("v0.1.0")
    where = urlsplit(draft["upload_url"].partition("{")[0])
    head = (
        f"POST {where.path}?name=begun.txt HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {forge.token}\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\nbegun"
    )
    with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=20) as connection:
        connection.sendall(head.encode())
    asset = _first_asset(forge, draft)
    assert (asset["state"], asset["size"], asset["digest"]) == ("starter", 0, None)
    assert errors(forge.attach(draft, "begun.txt", b"text"))[0]["code"] == "already_exists"
    assert forge.call("DELETE", f"/releases/assets/{asset['id']}").status_code == 204
    assert forge.attach(draft, "begun.txt", b"text").status_code == 201
    lines = requests_of(world, server="forge", file="begun.txt")
    assert [(line["status"], line["outcome"]) for line in lines] == [
        (499, "broken off"),
        (422, "refused"),
        (201, "stored"),
    ]


def _first_asset(forge: ForgeClient, release: dict[str, Any]) -> dict[str, Any]:
    """Wait until the forge has noticed that the client is gone; GitHub's description lacks that state."""
    address = f"{forge.base}{forge.root}/releases/{release['id']}/assets"
    for _ in range(1000):
        found: list[dict[str, Any]] = requests.get(
            address, headers={"Authorization": f"Bearer {forge.token}"}, timeout=20
        ).json()
        if found:
            return found[0]
    pytest.fail("no asset was left behind")


def test_pages(forge: ForgeClient) -> None:
    """Lists have pages, the newest first, and the Link header leads from one to the next."""
    made = [forge.make(f"v0.0.{number}", target_commitish="main")["id"] for number in range(5)]
    seen, address = [], f"{forge.base}{forge.root}/releases?per_page=2"
    while address:
        answer = forge.call("GET", address)
        seen += [release["id"] for release in answer.json()]
        address = answer.links.get("next", {}).get("url", "")
    assert seen == list(reversed(made))


def test_immutable_releases(forge: ForgeClient, world: LocalWorld) -> None:
    """If releases are immutable, the assets of a published one stay, and its tag cannot be used again."""
    (world.folder / "forge" / "immutable").touch()
    draft = forge.make("v0.1.0")
    asset = forge.attach(draft, "a.txt", b"text").json()
    release = forge.change(draft, draft=False).json()
    (world.folder / "forge" / "immutable").unlink()
    assert release["immutable"]
    assert forge.attach(release, "b.txt", b"x").json()["message"] == "Cannot upload assets to an immutable release."
    assert forge.call("DELETE", f"/releases/assets/{asset['id']}").status_code == 422
    assert forge.change(release, tag_name="v0.2.0").status_code == 422
    assert forge.change(release, body="other words").status_code == 200
    digest = f"sha1:{forge.call('GET', '/git/ref/tags%2Fv0.1.0').json()['object']['sha']}"
    (attested,) = forge.call("GET", f"/attestations/{digest}?predicate_type=release").json()["attestations"]
    assert attested["initiator"] == "github"
    forge.call("DELETE", f"/releases/{release['id']}")
    assert forge.call("GET", f"/attestations/{digest}").json() == {"attestations": [attested]}
    assert forge.call("GET", f"/attestations/{digest}?predicate_type=provenance").json() == {"attestations": []}
    assert forge.call("GET", f"/attestations/sha1:{'0' * 40}").json() == {"attestations": []}
    again = forge.change(forge.make("v0.1.0"), draft=False)
    assert errors(again)[0]["message"] == "tag_name was used by an immutable release"


def test_an_empty_remote(tmp_path: Path) -> None:
    """Without a checkout the remote is empty, and the forge has nothing to tag."""
    with local.start(tmp_path / "world", repository="acme/demo", checkout=None) as world:
        forge = ForgeClient(world.addresses["forge"], world_table(world)["forge"]["token"])
        assert forge.call("GET", "").json()["default_branch"] == "main"
        assert forge.call("GET", "/git/matching-refs/tags%2Fv").json() == []
        answer = forge.call("POST", "/releases", json={"tag_name": "v1.0.0", "draft": True})
        assert errors(answer)[0]["field"] == "target_commitish"


def test_an_installation(forge: ForgeClient, world: LocalWorld) -> None:
    """An installation has no user and cannot see its write access, but it can write."""
    token = json.loads((world.folder / "credentials.json").read_text())["installation"]
    installation = ForgeClient(world.addresses["forge"], token)
    assert token.startswith("ghs_")
    assert installation.call("GET", "").json()["permissions"]["push"] is False
    answer = installation.call("GET", f"{forge.base}/api/v3/user")
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")
    draft = installation.make("v0.1.0")
    assert [release["id"] for release in installation.call("GET", "/releases").json()] == [draft["id"]]


def test_generated_notes(forge: ForgeClient, reader: ForgeClient, anybody: ForgeClient) -> None:
    """Generating notes needs write access, and changes nothing."""
    words = {"tag_name": "v0.2.0", "previous_tag_name": "v0.1.0"}
    notes = forge.call("POST", "/releases/generate-notes", json=words).json()
    assert (notes["name"], "compare/v0.1.0...v0.2.0" in notes["body"]) == ("v0.2.0", True)
    assert (
        "commits/v0.2.0" in forge.call("POST", "/releases/generate-notes", json={"tag_name": "v0.2.0"}).json()["body"]
    )
    assert errors(forge.call("POST", "/releases/generate-notes", json={}))[0]["field"] == "tag_name"
    statuses = [who.call("POST", "/releases/generate-notes", json=words).status_code for who in (reader, anybody)]
    assert statuses == [403, 401]
    assert forge.call("GET", "/releases").json() == []


def test_workflow_runs(world: LocalWorld, forge: ForgeClient, anybody: ForgeClient) -> None:
    """A file of the world says which runs there are; they are listed by branch and status, page by page."""
    assert forge.call("GET", "/actions/runs").json() == {"total_count": 0, "workflow_runs": []}
    file = world.folder / "forge" / "runs.json"
    file.parent.mkdir(exist_ok=True)
    runs = [{"id": n, "branch": "main" if n else "v1.0", "status": "queued"} for n in range(3)]
    file.write_text(json.dumps([*runs, {"id": 9, "branch": "main", "status": "completed"}]))
    try:
        answer = anybody.call("GET", "/actions/runs?branch=main&status=queued&per_page=1&page=2").json()
    finally:
        file.unlink()
    assert (answer["total_count"], [each["id"] for each in answer["workflow_runs"]]) == (2, [2])
