"""The forge's adapter against servers that lie, break off and limit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.faulty_server import Exchange, FaultyServer, Script, run_server
from tests.support.local_forge import place_at, text_file
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge import GitHubForge
from unmoor.adapters.github.answers import RateLimited, refusal
from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.advice import NOTHING
from unmoor.errors import Conflict, Denied, Rejected, TryLater, Unknown, UnmoorError
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.render.advice import AGAIN, next_step
from unmoor.util.secret import Secret
from unmoor.util.text import duration
from unmoor.util.values import replace

TOKEN = "ghp_throwaway"
REPO = {"full_name": "acme/demo", "private": False, "archived": False, "permissions": {"push": True}}
ASSET = {
    "id": 7,
    "name": "demo.txt",
    "size": 5,
    "state": "uploaded",
    "browser_download_url": "http://127.0.0.1:9/demo.txt",
    "digest": "sha256:" + "A" * 64,
}


def released(**changes: Any) -> dict[str, Any]:
    """A release as GitHub tells it."""
    return {
        "id": 1,
        "tag_name": "v1.0",
        "target_commitish": "a" * 40,
        "name": None,
        "body": None,
        "draft": True,
        "prerelease": False,
        "html_url": "http://example.org/v1.0",
        "upload_url": "http://example.org/assets{?name,label}",
        "assets": [],
        **changes,
    }


def posting_at(upload_url: str) -> ForgeRelease:
    """A draft whose uploads go somewhere."""
    return ForgeRelease(
        id=1,
        tag="v1.0",
        target="a" * 40,
        name="",
        body="",
        draft=True,
        prerelease=False,
        url="http://example.org/v1.0",
        upload_url=upload_url,
        assets=(),
    )


@pytest.fixture
def clock() -> FakeClock:
    """Time that passes at once."""
    return FakeClock()


@pytest.fixture
def http() -> Iterator[BoundedSession]:
    """A session that gives up soon."""
    with BoundedSession(Bounds(connect=2.0, stall=2.0, total=3.0)) as session:
        yield session


Ask = Callable[[GitHubForge], object]
READS: dict[str, Ask] = {
    "repository": lambda forge: forge.repository(),
    "postings": lambda forge: forge.releases("v1.0"),
    "public": lambda forge: forge.public("v1.0"),
    "latest": lambda forge: forge.latest(),
}
WRITES: dict[str, Ask] = {
    "draft": lambda forge: forge.draft(tag="v1.0", target="a" * 40, name="v1.0", body="", prerelease=False),
    "amend": lambda forge: forge.amend(posting_at(""), name="v1.0", body="", prerelease=False),
    "publish": lambda forge: forge.publish(posting_at(""), prerelease=False, latest=True),
}
NONSENSE: dict[str, Script] = {
    "an HTML page": lambda x: x.answer(200, "<html>Sign in</html>", kind="text/html"),
    "nothing": lambda x: x.answer(200),
    "null": lambda x: x.json(None),
    "a number": lambda x: x.json(5),
    "half of JSON": lambda x: x.answer(200, '{"id": 1,', kind="application/json"),
    "an object without an id": lambda x: x.json({"full_name": None, "id": None}),
    "a list of nothing known": lambda x: x.json([{"id": None}, 5, None]),
    "deep JSON": lambda x: x.answer(200, "[" * 100_000),
    "not text": lambda x: x.answer(200, b"\xff\xfe\x00"),
    "in progress": lambda x: x.answer(202),
    "a reset": lambda x: x.reset(),
    "a redirect to itself": lambda x: x.redirect(x.path, 301),
    "a redirect elsewhere": lambda x: x.redirect("http://example.invalid/", 302),
    "a gateway's fault": lambda x: x.answer(502, "<html>Bad gateway</html>", kind="text/html"),
}


@pytest.mark.parametrize("answer", NONSENSE)
@pytest.mark.parametrize("ask", [*READS, *WRITES])
def test_nonsense_is_unknown_and_never_absent(http: BoundedSession, clock: FakeClock, answer: str, ask: str) -> None:
    """Whatever is not the answer that was asked for is no answer."""
    with run_server(NONSENSE[answer]) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        with pytest.raises(Unknown) as caught:
            (READS | WRITES)[ask](forge)
    assert TOKEN not in repr((caught.value.what, caught.value.where, caught.value.next_step))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": 0},
        {"id": True},
        {"id": "1"},
        {"draft": None},
        {"assets": None},
        {"assets": [{**ASSET, "size": None}]},
        {"tag_name": None},
        {"upload_url": None},
    ],
    ids=str,
)
def test_a_release_of_another_shape_is_unknown(http: BoundedSession, clock: FakeClock, changes: dict[str, Any]) -> None:
    """One odd field, and nothing is concluded."""
    with run_server(lambda x: x.json([released(**changes)])) as fault, pytest.raises(Unknown, match="not a release"):
        GitHubForge(place_at(fault.url, token=TOKEN), http, clock).releases("v1.0")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            ForgeAsset(
                id=7, name="demo.txt", size=5, sha256="a" * 64, uploaded=True, url="http://127.0.0.1:9/demo.txt"
            ),
        ),
        (
            {"digest": None, "state": "starter", "size": 0},
            ForgeAsset(id=7, name="demo.txt", size=0, sha256=None, uploaded=False, url="http://127.0.0.1:9/demo.txt"),
        ),
        (
            {"digest": "md5:1", "name": "de\x1b[31mmo\n.txt"},
            ForgeAsset(id=7, name="de mo .txt", size=5, sha256=None, uploaded=True, url="http://127.0.0.1:9/demo.txt"),
        ),
    ],
    ids=["whole", "broken off", "hostile name"],
)
def test_assets_are_read_as_they_are(
    http: BoundedSession, clock: FakeClock, changes: dict[str, Any], expected: ForgeAsset
) -> None:
    """Digest, state and name of an asset, fit for a terminal."""
    with run_server(lambda x: x.json([released(assets=[{**ASSET, **changes}])])) as fault:
        (forge_release,) = GitHubForge(place_at(fault.url, token=TOKEN), http, clock).releases("v1.0")
    assert forge_release.assets == (expected,)


@pytest.mark.parametrize(
    "permissions", [{"push": False}, {}, None], ids=["may not push", "does not say", "no permissions"]
)
def test_an_empty_list_counts_only_with_the_right_to_push(
    http: BoundedSession, clock: FakeClock, permissions: dict[str, bool] | None
) -> None:
    """Without that right drafts are not listed, so nothing is known."""

    def script(exchange: Exchange) -> None:
        exchange.json([] if "/releases" in exchange.path else {**REPO, "permissions": permissions})

    with run_server(script) as fault, pytest.raises(Unknown, match="lists drafts only"):
        GitHubForge(place_at(fault.url, token=TOKEN), http, clock).releases("v1.0")


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"name": "v0", "body": "notes"}, True),
        (403, {"message": "Resource not accessible by integration"}, False),
        (404, {"message": "Not Found"}, False),
        (500, {"message": "oops"}, None),
        (200, "<html>", None),
    ],
)
def test_a_workflows_token_is_asked_what_only_writers_are_told(
    http: BoundedSession, clock: FakeClock, *, status: int, answer: Any, expected: bool | None
) -> None:
    """GitHub says push: false of every installation's token; generated notes tell whether it may write."""

    def script(exchange: Exchange) -> None:
        if exchange.path.endswith("/releases/generate-notes"):
            exchange.answer(status, json.dumps(answer), kind="application/json")
        else:
            exchange.json({**REPO, "permissions": {"push": False}})

    with run_server(script) as fault:
        assert GitHubForge(place_at(fault.url, token="ghs_x"), http, clock).repository().can_push is expected
    assert len(fault.paths("POST")) == 1


@pytest.mark.parametrize("push", [True, False])
def test_a_persons_token_is_asked_by_reads_alone(http: BoundedSession, clock: FakeClock, *, push: bool) -> None:
    """What the repository says of a user is what counts."""
    with run_server(lambda x: x.json({**REPO, "permissions": {"push": push}})) as fault:
        assert GitHubForge(place_at(fault.url, token=TOKEN), http, clock).repository().can_push is push
    assert fault.paths("POST") == []


def limited(*, times: int, headers: dict[str, str], then: Script) -> Script:
    """Answer with GitHub's secondary limit some times."""
    left = [times]

    def script(exchange: Exchange) -> None:
        if left[0]:
            left[0] -= 1
            body = json.dumps({"message": "You have exceeded a secondary rate limit."})
            exchange.answer(403, body, kind="application/json", headers=headers)
        else:
            then(exchange)

    return script


@pytest.mark.parametrize("ask", ["repository", "draft"])
def test_a_short_rate_limit_is_waited_for(http: BoundedSession, clock: FakeClock, ask: str) -> None:
    """As long as Retry-After says, once; reads and writes alike, since nothing was done."""
    good = {"repository": REPO, "draft": released()}[ask]
    with run_server(limited(times=1, headers={"Retry-After": "17"}, then=lambda x: x.json(good))) as fault:
        (READS | WRITES)[ask](GitHubForge(place_at(fault.url, token=TOKEN), http, clock))
    assert 17.0 in clock.slept
    assert len(fault.seen) == 2


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "3000"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}], ids=str
)
def test_a_long_rate_limit_is_unknown_and_says_how_long(
    http: BoundedSession, clock: FakeClock, headers: dict[str, str]
) -> None:
    """It is no lack of rights, and no absence."""
    with (
        run_server(limited(times=9, headers=headers, then=lambda x: x.reset())) as fault,
        pytest.raises(Unknown, match="rate limit") as caught,
    ):
        GitHubForge(place_at(fault.url, token=TOKEN), http, clock).repository()
    assert caught.value.retryable
    assert 3000 <= caught.value.wait <= 3600
    assert sum(clock.slept) == 0


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 60.0),
        ({"retry-after": "17"}, 17.0),
        ({"retry-after": "86400"}, 3600.0),
        ({"retry-after": "soon"}, 60.0),
        ({"retry-after": "17", "x-ratelimit-reset": "99999999999"}, 17.0),
        ({"x-ratelimit-reset": "99999999999"}, 3600.0),
        ({"x-ratelimit-reset": "1"}, 0.0),
        ({"x-ratelimit-reset": "soon"}, 60.0),
        ({"x-ratelimit-reset": "nan"}, 60.0),
    ],
)
def test_how_long_a_rate_limit_lasts(headers: dict[str, str], wait: float) -> None:
    """As long as the common header says, else until GitHub's own moment, else a minute; an hour at most."""
    error = refusal(429, {"message": "slow down"}, headers, where="", token=Secret(""), rights=NOTHING)
    assert isinstance(error, RateLimited)
    assert error.wait == wait
    assert next_step(error) == (f"wait {duration(wait)}, then {AGAIN}" if wait else AGAIN)


def test_what_strangers_may_no_longer_read_is_read_with_the_token(http: BoundedSession, clock: FakeClock) -> None:
    """Runners share an address and its allowance; a public release is public whoever reads it."""

    def script(exchange: Exchange) -> None:
        if "Authorization" not in exchange.headers:
            limited(times=1, headers={"Retry-After": "3000"}, then=lambda x: x.reset())(exchange)
        else:
            exchange.json(released(draft=False, assets=[ASSET]) if "/releases" in exchange.path else REPO)

    with run_server(script) as fault:
        forge_release = GitHubForge(place_at(fault.url, token=TOKEN), http, clock).public("v1.0")
    assert forge_release is not None
    assert forge_release.assets[0].public


def test_a_private_repository_is_read_with_the_token_and_its_assets_are_not_public(
    http: BoundedSession, clock: FakeClock
) -> None:
    """A request without credentials gets a 404."""

    def script(exchange: Exchange) -> None:
        if "Authorization" not in exchange.headers:
            exchange.answer(404, '{"message": "Not Found"}', kind="application/json")
        elif "/releases" in exchange.path:
            exchange.json(released(draft=False, assets=[ASSET]))
        else:
            exchange.json({**REPO, "private": True})

    with run_server(script) as fault:
        forge_release = GitHubForge(place_at(fault.url, token=TOKEN), http, clock).public("v1.0")
    assert forge_release is not None
    assert not forge_release.assets[0].public


@pytest.mark.parametrize("changes", [{"draft": True}, {"tag_name": "v1.0.1"}], ids=["a draft", "another tag"])
def test_only_the_published_release_of_that_tag_is_public(
    http: BoundedSession, clock: FakeClock, changes: dict[str, Any]
) -> None:
    """A server that answers with something else is not believed."""

    def script(exchange: Exchange) -> None:
        exchange.json(released(**{"draft": False, **changes}) if "/releases" in exchange.path else REPO)

    with run_server(script) as fault:
        forge = GitHubForge(place_at(fault.url), http, clock)
        if "draft" in changes:
            assert forge.public("v1.0") is None
        else:
            with pytest.raises(Unknown):
                forge.public("v1.0")


def test_a_fault_of_the_moment_is_read_again(http: BoundedSession, clock: FakeClock) -> None:
    """Reads are tried three times; the third answer counts."""
    answers = iter([502, 503, 200])

    def script(exchange: Exchange) -> None:
        exchange.answer(next(answers), json.dumps(REPO), kind="application/json")

    with run_server(script) as fault:
        assert GitHubForge(place_at(fault.url, token=TOKEN), http, clock).repository().full_name == "acme/demo"


def test_a_connection_that_breaks_is_read_again(http: BoundedSession, clock: FakeClock) -> None:
    """As a 5xx is; a write is sent once all the same."""
    left = [1, 1]

    def script(exchange: Exchange) -> None:
        if left:
            left.pop()
            exchange.reset()
        else:
            exchange.json(REPO)

    with run_server(script) as fault:
        assert GitHubForge(place_at(fault.url, token=TOKEN), http, clock).repository().full_name == "acme/demo"
    assert len(fault.seen) == 3


@pytest.mark.parametrize("ask", WRITES)
def test_a_write_is_sent_once(http: BoundedSession, clock: FakeClock, ask: str) -> None:
    """After a fault nobody knows whether it was done, so nobody sends it again here."""
    with run_server(lambda x: x.answer(502)) as fault, pytest.raises(Unknown):
        WRITES[ask](GitHubForge(place_at(fault.url, token=TOKEN), http, clock))
    assert len(fault.seen) == 1


def test_a_redirect_never_leads_a_write_elsewhere(http: BoundedSession, clock: FakeClock) -> None:
    """Even on the same host: the repository was renamed, and a person should know."""
    with (
        run_server(lambda x: x.redirect("/api/v3/repositories/1/releases", 301)) as fault,
        pytest.raises(Unknown, match="moved or renamed"),
    ):
        WRITES["draft"](GitHubForge(place_at(fault.url, token=TOKEN), http, clock))
    assert len(fault.seen) == 1


@pytest.mark.parametrize(
    ("target", "read"),
    [
        ("/api/v3/repositories/1", ["/api/v3/repos/acme/demo", "/api/v3/repositories/1"]),
        ("http://localhost:9/api/v3/repositories/1", ["/api/v3/repos/acme/demo"]),
        ("//example.invalid/api/v3/repositories/1", ["/api/v3/repos/acme/demo"]),
        ("", ["/api/v3/repos/acme/demo"]),
    ],
    ids=["the same origin", "another port", "another host", "no target"],
)
def test_a_renamed_repository_is_read_at_its_new_address(
    http: BoundedSession, clock: FakeClock, target: str, read: list[str]
) -> None:
    """On the same origin only: the token goes nowhere else."""

    def script(exchange: Exchange) -> None:
        if "/repos/" in exchange.path:
            exchange.redirect(target, 301)
        else:
            exchange.json(REPO)

    with run_server(script) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        if len(read) > 1:
            assert forge.repository().full_name == "acme/demo"
        else:
            with pytest.raises(Unknown, match="moved or renamed"):
                forge.repository()
    assert [each.path for each in fault.seen] == read


def test_publishing_sends_three_fields_and_no_other(http: BoundedSession, clock: FakeClock) -> None:
    """Name and body are not sent, so words that a person mended stay."""
    bodies: list[Any] = []

    def script(exchange: Exchange) -> None:
        bodies.append(json.loads(exchange.read()))
        exchange.json(released(draft=False))

    with run_server(script) as fault:
        WRITES["publish"](GitHubForge(place_at(fault.url, token=TOKEN), http, clock))
    assert bodies == [{"draft": False, "prerelease": False, "make_latest": "true"}]


def test_drafting_says_every_flag(http: BoundedSession, clock: FakeClock) -> None:
    """The library's own defaults would publish, as the latest."""
    bodies: list[Any] = []

    def script(exchange: Exchange) -> None:
        bodies.append(json.loads(exchange.read()))
        exchange.json(released())

    with run_server(script) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        WRITES["draft"](forge)
        WRITES["amend"](forge)
    assert [(each["draft"], each["prerelease"], each["make_latest"]) for each in bodies] == [(True, False, "false")] * 2
    assert [each["target_commitish"] for each in bodies] == ["a" * 40] * 2


def test_a_write_waits_as_often_as_it_is_told_to(http: BoundedSession, clock: FakeClock) -> None:
    """Minutes, three times at most, and no longer than a quarter of an hour in all."""
    made = lambda x: x.json(released())  # noqa: E731 - a script as all others
    for waits, tries in ((200, 4), (400, 3), (800, 2), (901, 1)):
        begun = len(clock.slept)
        with run_server(limited(times=min(3, tries), headers={"Retry-After": str(waits)}, then=made)) as fault:
            forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
            if tries == 4:
                WRITES["draft"](forge)
            else:
                with pytest.raises(TryLater, match="rate limit"):
                    WRITES["draft"](forge)
        assert len(fault.seen) == tries
        assert clock.slept[begun:] == [float(waits)] * (tries - 1)


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("ask", [*WRITES, "attach"])
def test_a_write_without_an_answer_is_over_after_the_wait(
    http: BoundedSession, clock: FakeClock, tmp_path: Path, ask: str, status: int
) -> None:
    """The caller looks whether it was done and may send it again, so no sooner than the forge asks for."""
    with run_server(lambda x: x.answer(status, headers={"Retry-After": "40"})) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        address = f"{fault.url}/api/uploads/assets{{?name,label}}"
        attach: Ask = lambda it: it.attach(posting_at(address), text_file(tmp_path / "a.txt", "a"))  # noqa: E731
        with pytest.raises(Unknown):
            (WRITES | {"attach": attach})[ask](forge)
    assert clock.slept == [40.0]
    assert len(fault.seen) == 1


def test_a_write_that_is_put_off_for_long(http: BoundedSession, clock: FakeClock) -> None:
    """Nothing waits, and the exit code says when to come back."""
    with (
        run_server(lambda x: x.answer(503, headers={"Retry-After": "3000"})) as fault,
        pytest.raises(TryLater) as caught,
    ):
        WRITES["publish"](GitHubForge(place_at(fault.url, token=TOKEN), http, clock))
    assert caught.value.wait == 3000
    assert clock.slept == []


ONCE: dict[str, Script] = {name: script for name, script in NONSENSE.items() if "redirect" not in name}
for skipped in ("in progress", "an object without an id", "a list of nothing known"):
    del ONCE[skipped]


@pytest.mark.parametrize("answer", ONCE)
@pytest.mark.parametrize("ask", ["repository", "public", "latest"])
def test_an_answer_that_is_bad_once_is_read_again(
    http: BoundedSession, clock: FakeClock, answer: str, ask: str
) -> None:
    """A page of a proxy, or half an answer, ends no release."""
    left = [ONCE[answer]]

    def script(exchange: Exchange) -> None:
        if left:
            left.pop()(exchange)
        else:
            exchange.json(released(draft=False) if "/releases" in exchange.path else REPO)

    with run_server(script) as fault:
        assert READS[ask](GitHubForge(place_at(fault.url, token=TOKEN), http, clock)) is not None


@pytest.mark.parametrize(
    "bad",
    [
        lambda x: x.answer(500),
        lambda x: x.answer(404),
        lambda x: x.answer(429, headers={"Retry-After": "7"}),
        lambda x: x.answer(503, headers={"Retry-After": "7"}),
        lambda x: x.reset(),
        lambda x: x.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"),
        lambda x: x.answer(200, b"hellO"),
        lambda x: x.answer(200, b"<html>"),
    ],
)
@pytest.mark.parametrize("public", [True, False])
def test_an_asset_is_fetched_again(
    http: BoundedSession, clock: FakeClock, tmp_path: Path, bad: Script, *, public: bool
) -> None:
    """If a transfer fails, or its bytes do not have the digest that the forge gives; twice is a conflict."""
    scripts: list[Script] = [bad, lambda x: x.answer(200, b"hello")]

    def script(exchange: Exchange) -> None:
        scripts.pop(0)(exchange)

    with run_server(script) as fault:
        digest = hashlib.sha256(b"hello").hexdigest()
        asset = ForgeAsset(id=7, name="a.txt", size=5, sha256=digest, uploaded=True, url=f"{fault.url}/a.txt")
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        assert forge.fetch(replace(asset, public=public), tmp_path).path.read_bytes() == b"hello"
        scripts += [lambda x: x.answer(200, b"hellO")] * 2
        with pytest.raises(Conflict, match=digest):
            forge.fetch(replace(asset, public=public), tmp_path)
    assert scripts == []


@pytest.mark.parametrize("ask", WRITES)
def test_what_was_immutable_needs_a_new_version(http: BoundedSession, clock: FakeClock, ask: str) -> None:
    """A tag of a deleted immutable release stays burned: no second try can help."""

    def burned(exchange: Exchange) -> None:
        errors = [{"resource": "Release", "code": "custom", "message": "tag_name was used by an immutable release"}]
        body = json.dumps({"message": "Validation Failed", "errors": errors})
        exchange.answer(422, body, kind="application/json")

    with run_server(burned) as fault, pytest.raises(Rejected, match="used by an immutable release") as caught:
        WRITES[ask](GitHubForge(place_at(fault.url, token=TOKEN), http, clock))
    assert "release a new version" in caught.value.next_step
    assert len(fault.seen) == 1


def test_an_upload_host_that_does_not_find_the_release_may_find_it_later(
    http: BoundedSession, clock: FakeClock, tmp_path: Path
) -> None:
    """The release was read a moment ago, so 404 is no absence: look, and send again."""
    with run_server(lambda x: x.answer(404, '{"message": "Not Found"}', kind="application/json")) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        forge_release = posting_at(f"{fault.url}/api/uploads/repos/acme/demo/releases/7/assets{{?name,label}}")
        with pytest.raises(Unknown, match="does not find the release"):
            forge.attach(forge_release, text_file(tmp_path / "a.txt", "a"))


@pytest.mark.parametrize(
    "elsewhere",
    ["http://{other}/assets{{?name,label}}", "https://{host}/x{{?name}}", "http://{host}@{other}/x", "ftp://{host}/x"],
)
def test_a_token_never_follows_an_upload_address_elsewhere(
    http: BoundedSession, clock: FakeClock, tmp_path: Path, elsewhere: str
) -> None:
    """An answer must not choose which host is sent the token."""
    with run_server(lambda x: x.json({})) as fault, run_server(lambda x: x.json({})) as other:
        url = elsewhere.format(other=other.url.partition("//")[2], host=fault.url.partition("//")[2])
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        with pytest.raises((Rejected, Unknown)):
            forge.attach(posting_at(url), text_file(tmp_path / "demo.txt", "hello"))
    assert (fault.seen, other.seen) == ([], [])


UPLOADS: dict[str, tuple[Script, type[UnmoorError]]] = {
    "502": (lambda x: x.answer(502, "Error uploading asset"), Unknown),
    "a reset": (lambda x: x.reset(), Unknown),
    "an HTML page": (lambda x: x.answer(201, "<html>"), Unknown),
    "nothing": (lambda x: x.answer(201), Unknown),
    "200": (lambda x: x.json(ASSET), Unknown),
    "no id": (lambda x: x.answer(201, json.dumps({**ASSET, "id": None})), Unknown),
    "a redirect": (lambda x: x.redirect("http://example.invalid/"), Unknown),
    "422": (
        lambda x: x.answer(422, '{"message": "Validation Failed", "errors": [{"code": "already_exists"}]}'),
        Rejected,
    ),
    "403": (lambda x: x.answer(403, '{"message": "Resource not accessible by integration"}'), Denied),
    "401": (lambda x: x.answer(401, f'{{"message": "Bad credentials {TOKEN}"}}'), Denied),
}


@pytest.mark.parametrize("answer", UPLOADS)
def test_an_upload_is_one_try_and_its_answer_is_judged(
    http: BoundedSession, clock: FakeClock, tmp_path: Path, answer: str
) -> None:
    """Lost answers are unknown, refusals say why, and a token that the server repeats is not printed."""
    script, error = UPLOADS[answer]
    with run_server(script) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        with pytest.raises(error) as caught:
            forge.attach(posting_at(f"{fault.url}/assets{{?name,label}}"), text_file(tmp_path / "demo.txt", "hello"))
    assert len(fault.seen) == 1
    assert fault.seen[0].path == "/assets?name=demo.txt"
    assert TOKEN not in repr((caught.value.what, caught.value.where, caught.value.next_step))


def test_an_asset_that_lies_elsewhere_is_fetched_there_without_the_token(
    http: BoundedSession, clock: FakeClock, tmp_path: Path
) -> None:
    """The API redirects to the storage's host, which must not see the token."""
    asset = ForgeAsset(id=7, name="demo.txt", size=5, sha256=None, uploaded=True, url="")
    with (
        run_server(lambda x: x.answer(200, b"hello")) as storage,
        run_server(lambda x: x.redirect(f"{storage.url}/bytes")) as fault,
    ):
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        assert forge.fetch(asset, tmp_path).size == 5
    assert fault.seen[0].headers["Authorization"] == f"token {TOKEN}"
    assert fault.seen[0].headers["Accept"] == "application/octet-stream"
    assert "Authorization" not in storage.seen[0].headers


@pytest.mark.parametrize("name", ["../demo", "/etc/x", "a/b", ".hidden", ""])
def test_an_assets_name_never_becomes_a_path(http: BoundedSession, clock: FakeClock, tmp_path: Path, name: str) -> None:
    """A name from the server that is no plain file name is refused before anything is asked."""
    asset = ForgeAsset(id=7, name=name, size=5, sha256=None, uploaded=True, url="")
    with run_server(lambda x: x.answer(200, b"hello")) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        with pytest.raises(Unknown, match="not a file name"):
            forge.fetch(asset, tmp_path)
    assert fault.seen == []


@pytest.mark.parametrize("url", ["", None, " ", "\x1b[31m\n"])
def test_a_public_asset_without_an_address_is_unknown(
    http: BoundedSession, clock: FakeClock, tmp_path: Path, url: str | None
) -> None:
    """Below the site it would be the front page, whose bytes are those of no asset."""
    address = {} if url is None else {"browser_download_url": url}
    asset = {name: value for name, value in ASSET.items() if name != "browser_download_url"} | address
    shown = released(draft=False, assets=[asset])

    def script(exchange: Exchange) -> None:
        if "/api/" in exchange.path:
            exchange.json(shown if "/releases/" in exchange.path else REPO)
        else:
            exchange.answer(200, b"hello")

    with run_server(script) as fault:
        forge = GitHubForge(place_at(fault.url, token=TOKEN), http, clock)
        public = forge.public("v1.0")
        assert public is not None
        with pytest.raises(Unknown, match=r"demo\.txt: the answer is not an asset with a download address"):
            forge.fetch(public.assets[0], tmp_path)
    assert all("/api/" in each.path for each in fault.seen)


def test_a_public_asset_is_asked_for_without_the_token(http: BoundedSession, clock: FakeClock, tmp_path: Path) -> None:
    """At the address that everybody uses."""

    def seen(fault: FaultyServer) -> ForgeAsset:
        return ForgeAsset(
            id=7, name="demo.txt", size=5, sha256=None, uploaded=True, url=f"{fault.url}/demo.txt", public=True
        )

    with run_server(lambda x: x.answer(200, b"hello")) as fault:
        GitHubForge(place_at(fault.url, token=TOKEN), http, clock).fetch(seen(fault), tmp_path)
    assert fault.seen[0].path == "/demo.txt"
    assert "Authorization" not in fault.seen[0].headers
