"""Faults of registries: each is one clear error, and none counts as absence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.faulty_server import Exchange, Script, run_server
from tests.support.real_registries import LOGIN, NO_LOGIN, PASSWORD, make_image
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.registry import OciRegistry
from unmoor.adapters.registry.auth import RegistryAuth
from unmoor.artifacts import oci
from unmoor.errors import Conflict, Denied, Rejected, TryLater, Unknown, UnmoorError
from unmoor.images import oci_documents
from unmoor.ports.registry import OciManifest
from unmoor.ports.world import Login, RegistryPlace

BUILT = make_image("faults").manifest
_BUNDLE = oci_documents.bundle_manifest(
    oci.Descriptor(media_type=BUILT.media_type, digest=BUILT.digest, size=1), b"{}", "a/b", created=1
)[0]
ABOUT = OciManifest(data=_BUNDLE, digest=oci.digest_of(_BUNDLE), media_type=oci.OCI_MANIFEST)
HEADERS = {"Docker-Content-Digest": BUILT.digest, "Docker-Distribution-Api-Version": "registry/2.0"}


@pytest.fixture(scope="module")
def http() -> Iterator[BoundedSession]:
    """One session."""
    with BoundedSession() as session:
        yield session


def at(url: str, http: BoundedSession, *, login: Login = LOGIN, clock: FakeClock | None = None) -> OciRegistry:
    """Return the adapter at an address."""
    place = RegistryPlace(host="ghcr.io", address=url, login=login)
    return OciRegistry(place, "acme/demo", http, clock or FakeClock())


def refusing(status: int, code: str, message: str = "", **headers: str) -> Script:
    """Answer everything with one error document."""
    body = json.dumps({"errors": [{"code": code, "message": message, "detail": {"any": "thing"}}]})
    # HEAD has no body, whatever the answer.
    return lambda it: it.answer(status, "" if it.command == "HEAD" else body, kind="application/json", headers=headers)


def _answering(status: int, body: str, headers: dict[str, str]) -> Script:
    """Answer every request the same way."""
    return lambda it: it.answer(status, body, headers=headers)


READS: dict[str, Callable[[OciRegistry], object]] = {
    "head": lambda it: it.head("one"),
    "manifest": lambda it: it.manifest("one"),
    "tags": lambda it: it.tags(),
    "blob": lambda it: it.blob(BUILT.digest),
    "referrers": lambda it: it.referrers(BUILT.digest),
}
WRITES: dict[str, Callable[[OciRegistry], object]] = {
    "put": lambda it: it.put("one", BUILT),
    "probe": lambda it: it.may_push(),
    "delete": lambda it: it.delete(BUILT.digest),
    "put_referrer": lambda it: it.put_referrer(ABOUT, ()),
}


@pytest.mark.parametrize("act", READS | WRITES)
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (refusing(403, "DENIED", "permission_denied: write_package"), Denied, "permission_denied: write_package"),
        (refusing(500, "UNKNOWN"), Unknown, "500"),
        (refusing(429, "TOOMANYREQUESTS", "slow down"), (Unknown, TryLater), "busy: 429"),
        (lambda it: it.reset(), Unknown, "reset|the connection failed"),
        (lambda it: it.raw(b"nonsense\r\n\r\n"), Unknown, "not HTTP"),
        (lambda it: it.answer(200, "<html>Welcome</html>", kind="text/html"), UnmoorError, "."),
        (lambda it: it.answer(401, headers={"WWW-Authenticate": "Negotiate"}), Unknown, "unknown kind"),
        (lambda it: it.answer(401), Unknown, "does not say which"),
        (lambda it: it.answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'}), Denied, "a test"),
    ],
    ids=["403", "500", "429", "reset", "no HTTP", "a web page", "Negotiate", "no challenge", "wrong password"],
)
def test_every_fault_is_one_clear_error(
    http: BoundedSession,
    act: str,
    script: Script,
    error: type[UnmoorError] | tuple[type[UnmoorError], type[UnmoorError]],
    words: str,
) -> None:
    """Reads and writes wait two minutes at most. The error quotes the registry, and never the password."""
    error = error[act in WRITES] if isinstance(error, tuple) else error
    clock = FakeClock()
    with run_server(script) as server:
        with pytest.raises(error, match=words) as caught:
            (READS | WRITES)[act](at(server.url, http, clock=clock))
        assert PASSWORD not in str(caught.value) + caught.value.next_step
        assert sum(clock.slept) <= 3 * 125
        assert len(server.seen) < 40


@pytest.mark.parametrize("act", ["head", "manifest", "tags"])
def test_a_404_of_another_server_is_not_absence(http: BoundedSession, act: str) -> None:
    """A proxy's page leaves it open whether the image exists. The registry's own answer decides."""
    with (
        run_server(lambda it: it.answer(404, "<html>", kind="text/html")) as server,
        pytest.raises(Unknown, match="404"),
    ):
        READS[act](at(server.url, http))
    for script in (
        refusing(404, "NAME_UNKNOWN"),
        lambda it: it.answer(404, headers={"Docker-Distribution-Api-Version": "registry/2.0"}),
    ):
        with run_server(script) as server:
            assert not READS[act](at(server.url, http))


def test_a_busy_registry_is_waited_for(http: BoundedSession) -> None:
    """The wait is as long as the registry asks for."""
    left = [2]

    def script(it: Exchange) -> None:
        if left[0]:
            left[0] -= 1
            it.answer(429, headers={"Retry-After": "7"})
        else:
            it.answer(200, headers=HEADERS)

    clock = FakeClock()
    with run_server(script) as server:
        assert at(server.url, http, clock=clock).head("one") == BUILT.digest
    assert clock.slept == [7.0, 7.0]


@pytest.mark.parametrize("damaged", [b"", b"<html>", BUILT.data[:-1], BUILT.data + b" "])
@pytest.mark.parametrize("act", ["manifest", "blob"])
def test_a_damaged_answer_is_read_again(http: BoundedSession, act: str, damaged: bytes) -> None:
    """Bytes with another digest count only if they come twice."""
    bodies = [damaged, BUILT.data]

    def script(it: Exchange) -> None:
        it.answer(200, bodies.pop(0) if bodies else damaged, kind=BUILT.media_type)

    reads = {"manifest": lambda it: it.manifest(BUILT.digest), "blob": lambda it: it.blob(BUILT.digest)}
    with run_server(script) as server:
        assert reads[act](at(server.url, http))
        with pytest.raises((Conflict, Unknown)):
            reads[act](at(server.url, http))


@pytest.mark.parametrize("damaged", ["", "<html>", '{"tags": [7]}', '{"tags": ["a b"]}', '{"tags": '])
def test_a_damaged_list_of_tags_is_read_again(http: BoundedSession, damaged: str) -> None:
    """It counts only if it comes twice."""
    bodies = [damaged, '{"tags": ["one"]}', damaged, damaged]
    with run_server(lambda it: it.answer(200, bodies.pop(0), kind="application/json")) as server:
        assert at(server.url, http).tags() == ("one",)
        with pytest.raises(Unknown, match="not a list of tags"):
            at(server.url, http).tags()


def test_too_long_a_wait_is_unknown(http: BoundedSession) -> None:
    """The error has the requested wait. Nothing waits."""
    clock = FakeClock()
    script = _answering(429, "", {"Retry-After": "3600"})
    with run_server(script) as server, pytest.raises(Unknown) as caught:
        at(server.url, http, clock=clock).head("one")
    assert caught.value.retryable
    assert caught.value.wait == 3600
    assert clock.slept == []


def manifests(*, lie: str = "", body: bytes = BUILT.data, kind: str = BUILT.media_type) -> Script:
    """Serve one manifest."""
    headers = {"Docker-Content-Digest": lie or BUILT.digest}
    return lambda it: it.answer(200, b"" if it.command == "HEAD" else body, kind=kind, headers=headers)


OTHER = f"sha256:{'9' * 64}"


@pytest.mark.parametrize(
    ("script", "reference", "error"),
    [
        (manifests(lie=OTHER), "one", Conflict),
        (manifests(body=BUILT.data + b" "), BUILT.digest, Conflict),
        (manifests(), OTHER, Conflict),
        (manifests(kind="application/json"), "one", Unknown),
        (manifests(body=b"{}", lie=oci.digest_of(b"{}")), "one", Unknown),
        (manifests(body=b"x" * 5_000_000), "one", Unknown),
    ],
    ids=["header", "bytes", "another digest", "no media type", "no manifest", "too large"],
)
def test_other_bytes_than_requested_are_refused(
    http: BoundedSession, script: Script, reference: str, error: type[UnmoorError]
) -> None:
    """The client computes digests and does not trust the registry's."""
    with run_server(script) as server, pytest.raises(error):
        at(server.url, http).manifest(reference)


def test_a_head_that_names_no_digest_is_followed_by_a_read(http: BoundedSession) -> None:
    """Some registries omit the header."""
    with run_server(lambda it: it.answer(200, BUILT.data, kind=BUILT.media_type)) as server:
        assert at(server.url, http).head("one") == BUILT.digest
    with run_server(manifests()) as server, pytest.raises(Conflict):
        at(server.url, http).head(OTHER)


class FaultyRegistry:
    """A registry of one tag that runs a given fault once and works otherwise."""

    def __init__(self, fault: Callable[[Exchange], bool], *, held: bytes = b"") -> None:
        self.fault = fault
        self.held = held
        self.puts = 0

    def __call__(self, it: Exchange) -> None:
        """Store and serve the manifest."""
        body = it.read()
        if it.command == "PUT":
            self.puts += 1
            if self.puts == 1 and not self.fault(it):
                return
            self.held = body
            it.answer(201, headers={"Docker-Content-Digest": oci.digest_of(body)})
        elif not self.held:
            it.answer(404, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN"}]}), kind="application/json")
        else:
            headers = {"Docker-Content-Digest": oci.digest_of(self.held)}
            sent = b"" if it.command == "HEAD" else self.held
            it.answer(200, sent, kind=BUILT.media_type, headers=headers)


def lost(it: Exchange) -> bool:
    """Reset the connection before anything is stored."""
    it.reset()
    return False


@pytest.mark.parametrize("stored", [True, False], ids=["it was stored", "it was not"])
@pytest.mark.parametrize("how", ["reset", "502"])
def test_a_lost_reply_is_decided_by_looking(http: BoundedSession, how: str, *, stored: bool) -> None:
    """The manifest is sent again only if it was not stored."""
    served = FaultyRegistry(lost)

    def fault(it: Exchange) -> bool:
        if stored:
            served.held = it.read()
        if how == "reset":
            return lost(it)
        it.answer(502, "bad gateway")
        return False

    served.fault = fault
    with run_server(served) as server:
        assert at(server.url, http).put("one", BUILT) == BUILT.digest
    assert served.puts == (1 if stored else 2)


@pytest.mark.parametrize(
    ("status", "code", "error"), [(400, "TAG_INVALID", Rejected), (409, "CONFLICT", Rejected), (403, "DENIED", Denied)]
)
@pytest.mark.parametrize("same", [True, False], ids=["same digest", "other digest"])
def test_a_tag_that_may_not_be_moved(
    http: BoundedSession, status: int, code: str, error: type[UnmoorError], *, same: bool
) -> None:
    """A tag that already has the right digest is a success. Otherwise one attempt fails with the registry's reason."""

    def fault(it: Exchange) -> bool:
        refusing(status, code, "tag v1 is immutable")(it)
        return False

    held = BUILT.data if same else make_image("other").manifest.data
    served = FaultyRegistry(fault, held=held)
    with run_server(served) as server:
        registry = at(server.url, http)
        if same:
            assert registry.put("v1", BUILT) == BUILT.digest
        else:
            with pytest.raises(error, match="immutable"):
                registry.put("v1", BUILT)
    assert served.puts == 1
    assert served.held == held


def test_an_accepted_manifest_that_is_absent_is_unknown(http: BoundedSession) -> None:
    """A put succeeds only if reading the tag confirms it."""

    def script(it: Exchange) -> None:
        if it.command == "PUT":
            it.answer(201)
        else:
            refusing(404, "MANIFEST_UNKNOWN")(it)

    with run_server(script) as server, pytest.raises(Unknown, match="but now it is not there"):
        at(server.url, http).put("one", BUILT)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"tags": ["ok", "not ok"]}, Unknown),
        ({"tags": "ok"}, Unknown),
        ([], Unknown),
        ({"tags": None}, None),
        ({"name": "acme/demo"}, None),
    ],
)
def test_a_list_of_tags_is_read_strictly(http: BoundedSession, answer: Any, error: type[UnmoorError] | None) -> None:
    """A list with anything else than tags is unknown."""
    with run_server(lambda it: it.json(answer)) as server:
        if error is None:
            assert at(server.url, http).tags() == ()
        else:
            with pytest.raises(error):
                at(server.url, http).tags()


def test_pages_of_tags_stay_in_the_repository(http: BoundedSession) -> None:
    """A link to the next page must stay in this registry and this repository."""

    def pages(it: Exchange) -> None:
        more = "last=b" not in it.path
        link = {"Link": '</v2/acme/demo/tags/list?n=2&last=b>; rel="next"'} if more else {}
        tags = ["a", "b"] if more else ["b", "c"]
        it.answer(200, json.dumps({"tags": tags}), kind="application/json", headers=link)

    with run_server(pages) as server:
        assert at(server.url, http).tags() == ("a", "b", "c")
    for target in ("https://example.org/v2/acme/demo/tags/list?n=2", "/v2/other/tags/list?n=2"):
        body, link = json.dumps({"tags": ["a"]}), {"Link": f'<{target}>; rel="next"'}
        with run_server(_answering(200, body, link)) as server, pytest.raises(Unknown):
            at(server.url, http).tags()


def test_a_password_goes_only_where_it_belongs(http: BoundedSession) -> None:
    """A registry on this machine whose tokens come from another host gets no password, over http or https."""
    for realm in ("http://example.org/token", "https://example.org/token"):
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="x",scope="repository:acme/demo:pull"'}
        with run_server(_answering(401, "", challenge)) as server, pytest.raises(Denied):
            at(server.url, http).head("one")
        assert all("Authorization" not in seen.headers for seen in server.seen)


def test_a_registry_elsewhere_gets_no_password_over_plain_http() -> None:
    """The address is refused before anything is sent, even if the registry requires the password."""
    place = RegistryPlace(host="example.org", address="http://example.org", login=LOGIN)
    asked: list[str] = []

    def fetch(url: str, login: Login | None) -> Response:
        asked.append(url)
        raise AssertionError(login)

    for header in ('Basic realm="x"', 'Bearer realm="http://example.org/token"'):
        refused = Response(
            status=401, reason="", headers={"WWW-Authenticate": header}, body=b"", url="http://example.org/v2/"
        )
        with pytest.raises(Denied, match="plain http"):
            RegistryAuth(place, fetch).answer(refused, "repository:a/b:pull", anonymous=False, sent=False)
    assert asked == []


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (lambda it: it.json({"token": ""}), Unknown),
        (lambda it: it.json({"token": "a b"}), Unknown),
        (lambda it: it.json([]), Unknown),
        (lambda it: it.answer(200, "<html>"), Unknown),
        (lambda it: it.answer(404), Unknown),
        (lambda it: it.answer(500), Unknown),
        (lambda it: it.reset(), Unknown),
        (refusing(401, "UNAUTHORIZED"), Denied),
        (refusing(403, "DENIED", "installation not allowed to Write organization package"), Denied),
    ],
)
def test_a_token_server_that_fails(http: BoundedSession, script: Script, error: type[UnmoorError]) -> None:
    """The failure is an error. Nothing continues without credentials."""

    def both(it: Exchange) -> None:
        if it.path.startswith("/token"):
            script(it)
        else:
            host = it.headers["Host"]
            it.answer(401, headers={"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="x"'})

    with run_server(both) as server, pytest.raises(error):
        at(server.url, http).head("one")


def test_a_token_that_is_refused_is_replaced_once(http: BoundedSession) -> None:
    """It may have expired."""
    given: list[str] = []

    def script(it: Exchange) -> None:
        if it.path.startswith("/token"):
            given.append(f"token-{len(given)}")
            it.json({"access_token": given[-1]})
        elif it.headers.get("Authorization") == "Bearer token-1":
            it.answer(200, headers=HEADERS)
        else:
            host = it.headers["Host"]
            it.answer(401, headers={"WWW-Authenticate": f'Bearer realm="http://{host}/token?x=1"'})

    with run_server(script) as server:
        registry = at(server.url, http)
        with pytest.raises(Denied):
            registry.head("one")
        assert registry.head("one") == BUILT.digest
        assert registry.head("one") == BUILT.digest
    assert len(given) == 2


def test_without_a_login_no_upload_starts(http: BoundedSession) -> None:
    """Without a login, nothing is sent. With one, an upload starts."""
    with run_server(lambda it: it.answer(202)) as server:
        assert at(server.url, http, login=NO_LOGIN).may_push() is False
        assert server.seen == []
        assert at(server.url, http).may_push() is True


def test_a_registry_that_deletes_nothing_says_so(http: BoundedSession) -> None:
    """GHCR answers 405. The next step names the page where packages can be deleted."""
    script = refusing(405, "UNSUPPORTED", "The operation is unsupported.")
    with run_server(script) as server, pytest.raises(Rejected) as caught:
        at(server.url, http).delete(BUILT.digest)
    assert "/packages/container/" in caught.value.next_step
