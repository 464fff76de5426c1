"""Reading an index: what counts as a page, what as absent, and what as unknown."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.faulty_index import FaultyIndex, build_dists, index_place, run_index, run_script
from tests.support.faulty_server import Exchange, run_server
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.adapters.index.pages import version_of
from unmoor.adapters.index.read import PROVENANCE
from unmoor.errors import Cause, Conflict, Denied, Unknown
from unmoor.ports.index import ListedFile, ProjectStatus
from unmoor.ports.poll import ending_at
from unmoor.util.values import replace

V1 = "application/vnd.pypi.simple.v1+json"
SHA = "0a" * 32
FILE = {"filename": "demo-1.0.tar.gz", "url": "../../f/demo-1.0.tar.gz", "hashes": {"sha256": SHA}}


def page(*files: dict[str, Any], name: str = "Demo", version: str = "1.1") -> bytes:
    """A page of the simple index."""
    return json.dumps({"meta": {"api-version": version}, "name": name, "files": list(files)}).encode()


def says(body: bytes | str, kind: str = V1, status: int = 200) -> Callable[[Exchange], None]:
    """Always the same answer."""
    return lambda x: x.answer(status, body, kind=kind)


def test_two_voices_are_merged(tmp_path: Path) -> None:
    """The JSON API has a file before the simple index does; both are read."""
    files = build_dists(tmp_path)
    served = FaultyIndex(files={file.name: file.path.read_bytes() for file in files}, simple_behind=True)
    with run_index(served) as running:
        assert running.index.status("demo") is None
        held = running.index.holding("demo", "1.0")
        served.simple_behind = False
        assert running.index.status("Demo") == ProjectStatus()
    assert held.names == held.stale == {file.name for file in files}
    assert held.listed(files[0].name) == ListedFile(
        name=files[0].name,
        url=f"{running.server.url}/files/{files[0].name}",
        sha256=files[0].sha256,
        size=files[0].size,
    )
    assert running.server.paths()[1:3] == ["/simple/demo/", "/pypi/demo/1.0/json"]
    assert all(each.headers["Cache-Control"] == "no-cache" for each in running.server.seen)
    assert all(each.headers["Authorization"] is None for each in running.server.seen)


HTML = f"""<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.9"><title>x</title></head><body>
<a href="../../f/demo-1.0-py3-none-any.whl#sha256={SHA}" data-yanked="bad">demo-1.0-py3-none-any.whl</a>
<a href="/f/demo-1.0.tar.gz#SHA256={SHA.upper()}">demo-1.0.tar.gz</a><a href="/f/demo-1.1.tar.gz">demo-1.1.tar.gz</a>
</body></html>"""


def test_html_is_read_if_there_is_no_json() -> None:
    """PEP 503 pages give hashes, yanked files and addresses, too."""
    with run_script(says(HTML, "text/html; charset=utf-8")) as (index, server):
        held = index.holding("demo", "1.0")
    assert held.json is None
    assert held.simple == {
        name: ListedFile(name=name, url=f"{server.url}/f/{name}", sha256=SHA, yanked=yanked)
        for name, yanked in {"demo-1.0-py3-none-any.whl": True, "demo-1.0.tar.gz": False}.items()
    }


def test_a_base_in_html_counts() -> None:
    """Addresses in an old page may be relative to a base."""
    text = f'<base href="/mirror/"><a href="f/demo-1.0.tar.gz#sha256={SHA}">demo-1.0.tar.gz</a>'
    with run_script(says(text, "text/html")) as (index, server):
        assert index.holding("demo", "1.0").simple["demo-1.0.tar.gz"].url == f"{server.url}/mirror/f/demo-1.0.tar.gz"


ATTESTED = {**FILE, "provenance": "/integrity/demo/1.0/demo-1.0.tar.gz/provenance"}
NO_ATTESTATIONS = '{"version": 1, "attestation_bundles": []}'
SERVED: dict[str, tuple[object, Callable[[Exchange], None], str]] = {
    "none": (None, says("no request is made", status=500), ""),
    "an empty list": (ATTESTED["provenance"], says(NO_ATTESTATIONS, PROVENANCE), ""),
    "not there": (ATTESTED["provenance"], says("", status=404), "names attestations of demo-1.0.tar.gz"),
    "turned off": (ATTESTED["provenance"], says('{"message": "disabled"}', status=403), "denies read access"),
    "a web page": (ATTESTED["provenance"], says("<html></html>"), "serves as attestations cannot be read"),
    "another version": (ATTESTED["provenance"], says(NO_ATTESTATIONS.replace("1", "2")), "cannot be read"),
    "a server that is down": (ATTESTED["provenance"], says("", status=502), "answered 502"),
    "another scheme": ("ftp://example.org/x", says("no request is made"), "address"),
}


@pytest.mark.parametrize("case", SERVED)
def test_attestations_of_a_file(case: str) -> None:
    """A file has none only if the page says so: whatever else is served is unknown, and breaks no other reading."""
    provenance, answer, why = SERVED[case]

    def script(x: Exchange) -> None:
        simple = x.path.startswith("/simple/")
        x.answer(200, page({**FILE, "provenance": provenance}), kind=V1) if simple else answer(x)

    with run_script(script, clock=FakeClock(time=1000.0)) as (index, server):
        listed = index.holding("demo", "1.0").simple["demo-1.0.tar.gz"]
        if why:
            with pytest.raises((Unknown, Denied), match=why):
                index.attestations(listed)
        else:
            assert index.attestations(listed) == ()
        if case not in {"none", "another scheme"}:
            assert server.seen[-1].headers["Accept"] == PROVENANCE


ABSENT = {
    "no project": says("nothing here", "text/html", 404),
    "no file of the version": says(page({**FILE, "filename": "demo-1.0.1.tar.gz"})),
    "no file at all": says(page()),
    "no file, in HTML": says("<title>Links for demo</title><h1>Links for demo</h1>", "text/html"),
    "a file of another project": says(page({**FILE, "filename": "demo_extra-1.0.tar.gz"})),
    "a file that says nothing": says(page({**FILE, "filename": "README.txt"})),
}


@pytest.mark.parametrize("name", ABSENT)
def test_absent_is_empty(name: str) -> None:
    """A valid page without files of the version means that the index has none."""
    with run_script(ABSENT[name]) as (index, _):
        assert index.holding("demo", "1.0").names == frozenset()


LOGIN_PAGE = '<html><form action="/login"><a href="/f/demo-1.0.tar.gz">x</a><input type="password"></form></html>'
UNKNOWN = {
    "a login page": (says(LOGIN_PAGE, "text/html"), "a web page"),
    "a web page": (says('<title>Welcome</title><a href="/about">about</a>', "text/html"), "a web page"),
    "an empty body": (says(""), "an empty body"),
    "an empty body, in HTML": (says(b"", "text/html"), "an empty body"),
    "another content type": (says(page(FILE), "text/plain"), "content type is text/plain"),
    "malformed JSON": (says(page(FILE)[:-3]), "not its page"),
    "JSON of another shape": (says('{"message": "hello"}'), "missing required field"),
    "a list": (says("[]"), "Expected `object`"),
    "another project": (says(page(FILE, name="other")), "it is about 'other'"),
    "another version of the API": (says(page(FILE, version="2.0")), "has version 2.0"),
    "another version, in HTML": (says(HTML.replace('"1.9"', '"2.0"'), "text/html"), "Unsupported API major"),
    "a hash that is none": (says(page({**FILE, "hashes": {"sha256": "abc"}})), "is 'abc'"),
    "hashes that are none": (says(page({**FILE, "hashes": None})), "not its page"),
    "one name, two hashes": (says(page(FILE, {**FILE, "hashes": {"sha256": "0b" * 32}})), "twice, with two hashes"),
    "an address that is none": (says(page({**FILE, "url": "file:///etc/passwd"})), "not a plain http"),
    "an address with credentials": (says(page({**FILE, "url": "http://a:b@h/x"})), "without credentials"),
    "bytes that are no text": (says(b"\xff\xfe<a>", "text/html"), "not its page"),
    "a link with an odd fragment": (says('<a href="#top">x</a>', "text/html"), "not its page"),
    "a redirect to a login page": (
        lambda x: says(LOGIN_PAGE, "text/html")(x) if x.path == "/login" else x.redirect("/login"),
        "a web page",
    ),
    "a server error": (says("oops", "text/plain", 502), "answered 502: oops"),
    "too many requests": (says("slow down", "text/plain", 429), "answered 429: slow down"),
    "an odd status": (says("tea", "text/plain", 418), "answered 418: tea"),
    "a reset": (Exchange.reset, "Connection reset"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_invalid_page_is_unknown(name: str) -> None:
    """Only a valid page of the index, or its 404, says what the index has."""
    script, words = UNKNOWN[name]
    with run_script(script, clock=FakeClock(time=1000.0)) as (index, _), pytest.raises(Unknown, match=words):
        index.holding("demo", "1.0")


JSON_API: dict[str, tuple[Any, str]] = {
    "another version": ({"info": {"name": "demo", "version": "1.1"}, "urls": []}, "it is about demo 1.1"),
    "another project": ({"info": {"name": "other", "version": "1.0"}, "urls": []}, "it is about other 1.0"),
    "no version": ({"info": {"name": "demo", "version": "?"}, "urls": []}, "Invalid version"),
    "no files": ({"info": {"name": "demo", "version": "1.0"}}, "missing required field `urls`"),
}


@pytest.mark.parametrize("name", JSON_API)
def test_the_json_api_is_checked_too(name: str) -> None:
    """The JSON API's answer must be about that project and version, and have the right shape."""
    value, words = JSON_API[name]

    def script(exchange: Exchange) -> None:
        exchange.answer(404) if exchange.path.startswith("/simple/") else exchange.json(value)

    with run_script(script, json=True) as (index, _), pytest.raises(Unknown, match=words):
        index.holding("demo", "1.0")


def test_a_page_of_the_json_api_in_html_is_unknown() -> None:
    """HTML from the JSON API is unknown, even with status 200."""

    def script(exchange: Exchange) -> None:
        exchange.answer(404 if "simple" in exchange.path else 200, "<html>", kind="text/html")

    with run_script(script, json=True) as (index, _), pytest.raises(Unknown, match="content type is text/html"):
        index.holding("demo", "1.0")


def test_a_trailing_zero_is_the_same_version() -> None:
    """Versions in file names are compared as versions, not as text."""
    file = {**FILE, "filename": "demo-1.0.0.tar.gz"}
    with run_script(says(page(file))) as (index, _):
        assert list(index.holding("demo", "1").simple) == ["demo-1.0.0.tar.gz"]


def marked(marker: object, **more: object) -> bytes:
    """A page in JSON with a project status."""
    return json.dumps(json.loads(page(FILE, version="1.4")) | {"project-status": marker, **more}).encode()


def meta(*tags: str) -> str:
    """A page in HTML with these tags in its head."""
    return f"<!DOCTYPE html><html><head>{''.join(tags)}<title>Links for demo</title></head><body></body></html>"


STATUSES: dict[str, tuple[bytes | str, str, ProjectStatus]] = {
    "none in JSON": (page(FILE), V1, ProjectStatus()),
    "null in JSON": (marked(None), V1, ProjectStatus()),
    "active": (marked({"status": "active"}), V1, ProjectStatus()),
    "archived": (marked({"status": "archived"}), V1, ProjectStatus(marker="archived")),
    "with a reason": (
        marked({"status": "quarantined", "reason": "mal\x1b[31mware\n"}),
        V1,
        ProjectStatus(marker="quarantined", reason="mal ware"),
    ),
    "null as a reason": (marked({"status": "deprecated", "reason": None}), V1, ProjectStatus(marker="deprecated")),
    "unknown": (marked({"status": "frozen"}), V1, ProjectStatus(marker="frozen")),
    "none in HTML": (meta(), "text/html", ProjectStatus()),
    "archived in HTML": (
        meta('<META NAME="pypi:project-status" CONTENT="archived">'),
        "text/html",
        ProjectStatus(marker="archived"),
    ),
    "with a reason in HTML": (
        meta(
            '<meta content="a &amp; b" name="pypi:project-status-reason">',
            '<meta name="pypi:project-status" content="quarantined">',
        ),
        "application/vnd.pypi.simple.v1+html",
        ProjectStatus(marker="quarantined", reason="a & b"),
    ),
    "empty in HTML": (meta('<meta name="pypi:project-status" content="">'), "text/html", ProjectStatus()),
}


@pytest.mark.parametrize("case", STATUSES)
def test_the_status_of_a_project(case: str) -> None:
    """Both forms of a page can have it (PEP 792); a project without one is active."""
    body, kind, expected = STATUSES[case]
    with run_script(says(body, kind)) as (index, _):
        assert index.status("demo") == expected


@pytest.mark.parametrize("marker", ["archived", 1, [], {"status": 1}, {"status": "archived", "reason": []}], ids=str)
def test_a_malformed_status_is_unknown(marker: object) -> None:
    """It is never taken for an active project."""
    with run_script(says(marked(marker))) as (index, _), pytest.raises(Unknown, match="not its page"):
        index.status("demo")


def test_json_is_read_before_html() -> None:
    """An index that has both is asked for JSON, whose HTML pages are frozen (PEP 833)."""

    def both(exchange: Exchange) -> None:
        qualities = dict(each.strip().partition(";q=")[::2] for each in exchange.headers["Accept"].split(","))
        first = max(qualities, key=lambda each: float(qualities[each] or 1))
        says(page(FILE) if first == V1 else meta(), first)(exchange)

    with run_script(both) as (index, _):
        assert list(index.holding("demo", "1.0").simple) == ["demo-1.0.tar.gz"]


def test_failed_reads_are_retried_soon() -> None:
    """One bad answer does not end a release; three do."""
    with run_index() as running:
        running.served.reads.extend([lambda x: x.answer(503), lambda x: x.answer(500)])
        assert running.index.status("demo") is None
        running.served.reads.extend([lambda x: x.answer(503)] * 3)
        with pytest.raises(Unknown, match="answered 503"):
            running.index.status("demo")
    assert running.clock.slept == [0.5, 2.0] * 2
    assert len(running.server.paths()) == 6


BAD = [
    lambda x: x.answer(200, "<html><form><input></form>", kind="text/html"),
    lambda x: x.answer(200),
    lambda x: x.answer(200, "{", kind=V1),
    lambda x: x.json({"meta": {"api-version": "1.0"}, "name": "other", "files": []}, kind=V1),
]


@pytest.mark.parametrize("answer", BAD)
def test_a_page_that_is_not_the_indexs_is_read_again(answer: Callable[[Exchange], None]) -> None:
    """A login page or half a page may come once; if it stays, the error says what it is."""
    with run_index(FaultyIndex(files={"demo-1.0.tar.gz": b"x"})) as running:
        running.served.reads.append(answer)
        assert running.index.versions("demo")
        running.served.reads.extend([answer] * 3)
        with pytest.raises(Unknown, match="not its page") as caught:
            running.index.versions("demo")
    assert caught.value.cause is Cause.NONSENSE


@pytest.mark.parametrize(
    ("status", "headers", "slept"),
    [
        (429, {"Retry-After": "7"}, [7.0, 7.0]),
        (429, {}, [5.0, 5.0]),
        (503, {"Retry-After": "20"}, [20.0, 20.0]),
        (500, {"Retry-After": "20"}, [20.0, 20.0]),
        (500, {}, [0.5, 2.0]),
    ],
)
def test_a_read_waits_as_long_as_the_index_asks(status: int, headers: dict[str, str], slept: list[float]) -> None:
    """A busy index is not asked again before that."""
    with run_index() as running:
        running.served.reads.extend([lambda x: x.answer(status, headers=headers)] * 2)
        assert running.index.versions("demo") == {}
    assert running.clock.slept == slept


@pytest.mark.parametrize(("patience", "asked"), [(30.0, "31"), (900.0, "61"), (0.0, "1")])
def test_no_read_waits_longer_than_the_wait_around_it(patience: float, asked: str) -> None:
    """If an index asks for more than is left, the error comes at once, with the time that it asks for."""
    with run_index() as running:
        running.served.reads.extend([lambda x: x.answer(429, headers={"Retry-After": asked})] * 9)
        with ending_at(running.clock.now() + patience), pytest.raises(Unknown) as caught:
            running.index.versions("demo")
    assert running.clock.slept == []
    assert (caught.value.cause, caught.value.wait) == (Cause.LATER, float(asked))


def test_a_read_that_hangs_ends_with_the_wait_around_it() -> None:
    """It takes no more than what is left, though a second at least."""
    with run_index() as running:
        running.served.reads.append(Exchange.hang)
        begun = time.monotonic()
        with ending_at(running.clock.now() + 0.1), pytest.raises(Unknown, match="within 1 s"):
            running.index.versions("demo")
    assert time.monotonic() - begun < 10
    assert running.clock.slept == []


@pytest.mark.parametrize(
    "fault",
    [
        lambda x: x.answer(500),
        lambda x: x.answer(404),
        lambda x: x.answer(429, headers={"Retry-After": "7"}),
        lambda x: x.reset(),
        lambda x: x.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nsome"),
        lambda x: x.answer(200, b"other bytes"),
        lambda x: x.answer(200, b""),
    ],
)
def test_a_download_is_repeated(fault: Callable[[Exchange], None], tmp_path: Path) -> None:
    """One bad transfer does not count, and neither do other bytes that come once."""
    data = b"the right bytes"
    with run_index(FaultyIndex(files={"demo-1.0.tar.gz": data})) as running:
        (listed,) = running.index.holding("demo", "1.0").simple.values()
        running.served.reads.append(fault)
        assert running.index.fetch(listed, tmp_path).path.read_bytes() == data
        running.served.reads.extend([lambda x: x.answer(200, b"not the right one"[:15])] * 2)
        with pytest.raises(Conflict, match="expected"):
            running.index.fetch(listed, tmp_path)
        assert not running.served.reads


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_read_is_denied(status: int) -> None:
    """The error has the index's reason and the origin of the credential."""
    script = says('{"message": "members only"}', "application/json", status)
    with run_script(script) as (index, _), pytest.raises(Denied, match="members only") as caught:
        index.status("demo")
    assert "a test's token" in caught.value.next_step


def test_a_private_index_gets_the_login_for_uploads() -> None:
    """The login is sent only after a 401, and only to the origin that takes the uploads."""

    def script(exchange: Exchange) -> None:
        known = "Authorization" in exchange.headers
        says(page(FILE))(exchange) if known else exchange.answer(401, headers={"WWW-Authenticate": "Basic"})

    with run_script(script) as (index, server):
        assert index.status("demo") == ProjectStatus()
    assert [each.headers["Authorization"] is None for each in server.seen] == [True, False]
    with run_server(script) as other, BoundedSession() as http:
        apart = replace(index_place("http://127.0.0.1:1"), simple=f"{other.url}/simple/")
        with pytest.raises(Denied):
            PackageIndex(apart, http).status("demo")
    assert [each.headers["Authorization"] for each in other.seen] == [None]


def test_credential_sends_no_request() -> None:
    """The origin of the login is known without a request."""
    with run_script(Exchange.reset) as (index, server):
        assert (index.credential().present, index.credential().origin) == (True, "a test's token")
        assert (index.name, index.page) == ("example", f"{server.url}/project/{{project}}/{{version}}/")
    assert server.seen == []


DATA = b"bytes of a file"


@pytest.mark.parametrize(
    ("sha256", "size", "kind", "words"),
    [
        ("00" * 32, None, Conflict, "00" * 32),
        (None, None, Unknown, "gives no sha256"),
        (hashlib.sha256(DATA).hexdigest(), 3, Unknown, "larger than 3 bytes"),
    ],
)
def test_a_download_is_checked(
    sha256: str | None, size: int | None, kind: type[Exception], words: str, tmp_path: Path
) -> None:
    """Bytes that cannot be checked, or that do not match, are not kept."""
    with run_script(lambda x: x.answer(200, DATA)) as (index, server):
        listed = ListedFile(name="demo-1.0.tar.gz", url=f"{server.url}/f", sha256=sha256, size=size)
        with pytest.raises(kind, match=words):
            index.fetch(listed, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_goes_without_credentials(tmp_path: Path) -> None:
    """A file may be on another host, which must not get the login."""
    with run_script(lambda x: x.answer(200, DATA)) as (index, server):
        listed = ListedFile(name="demo-1.0.tar.gz", url=f"{server.url}/f", sha256=hashlib.sha256(DATA).hexdigest())
        assert index.fetch(listed, tmp_path).path.read_bytes() == DATA
    assert server.seen[0].headers["Authorization"] is None


def test_a_private_index_may_ask_for_the_login(tmp_path: Path) -> None:
    """The index gets the login for uploads after a 401; no other host does."""

    def script(exchange: Exchange) -> None:
        exchange.answer(200, DATA) if exchange.headers["Authorization"] else exchange.answer(401)

    with run_script(script) as (index, server):
        sha256 = hashlib.sha256(DATA).hexdigest()
        listed = ListedFile(name="demo-1.0.tar.gz", url=f"{server.url}/f", sha256=sha256)
        assert index.fetch(listed, tmp_path).sha256 == sha256
        elsewhere = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(Denied):
            index.fetch(replace(listed, url=f"{elsewhere}/f"), tmp_path)
    assert [bool(seen.headers["Authorization"]) for seen in server.seen] == [False, True, False]


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("demo_pkg-1.0-py3-none-any.whl", "1.0"),
        ("Demo.Pkg-1.0.tar.gz", "1.0"),
        ("demo-pkg-1.0.zip", "1.0"),
        ("demo_pkg-1!2.0rc1-1-cp311-cp311-manylinux_2_17_x86_64.whl", "1!2.0rc1"),
        ("demo_pkg-1.0-py3.9.egg", "1.0"),
        ("demo_pkg-1.0.win-amd64-py3.9.exe", "1.0"),
        ("demo-pkg-1.0.tar.bz2", "1.0"),
        ("demo.pkg-1.0_1-py2.whl", "1.0.post1"),
        ("other-1.0.tar.gz", None),
        ("demo_pkg_extra-1.0.tar.gz", None),
        ("demo_pkg-extra-1.0.tar.gz", None),
        ("demo_pkg-.tar.gz", None),
        ("demo_pkg-nonsense.tar.gz", None),
        ("demo_pkg-1.0.txt", None),
        ("", None),
    ],
)
def test_version_of_a_file_name(filename: str, version: str | None) -> None:
    """Current and old kinds of file names have a version, others have none."""
    found = version_of(filename, "Demo-Pkg")
    assert (str(found) if found else None) == version


def test_every_version_and_whether_it_is_yanked() -> None:
    """A version is yanked if all its files are, with or without a reason; a missing project has no versions."""
    files: list[dict[str, Any]] = [
        {"filename": "demo-1.0.tar.gz", "url": "a", "hashes": {}, "yanked": "broken"},
        {"filename": "demo-1.0-py3-none-any.whl", "url": "b", "hashes": {}},
        {"filename": "demo-2.0.tar.gz", "url": "c", "hashes": {}, "yanked": ""},
        {"filename": "demo-3.0rc1.tar.gz", "url": "d", "hashes": {}, "yanked": False},
        {"filename": "demo-next.tar.gz", "url": "e", "hashes": {}},
    ]
    with run_script(says(page(*files, name="demo"))) as (index, _):
        seen = index.versions("demo")
    assert {str(version): yanked for version, yanked in seen.items()} == {"1.0": False, "2.0": True, "3.0rc1": False}
    with run_script(says(b"", status=404)) as (index, _):
        assert index.versions("demo") == {}
    with run_script(says(b"<p>log in</p>", kind="text/html")) as (index, _), pytest.raises(Unknown):
        index.versions("demo")


def test_the_addresses_of_a_version() -> None:
    """They are what the metadata says, safe to print; an index without the API or the version has none."""
    info = {
        "name": "demo",
        "version": "1.0",
        "home_page": "https://example.org/\u001b[2J",
        "project_urls": {"Source": "x"},
    }
    text = json.dumps({"info": info, "urls": []})
    with run_script(says(text, "application/json"), json=True) as (index, _):
        assert index.links("Demo", "1.0") == {"Homepage": "https://example.org/", "Source": "x"}
    with run_script(says(text.replace('{"Source": "x"}', "null"), "application/json"), json=True) as (index, _):
        assert index.links("demo", "1.0") == {"Homepage": "https://example.org/"}
    with run_script(says("", "text/html", 404), json=True) as (index, _):
        assert index.links("demo", "1.0") == {}
    with run_script(says("<html>", "text/html"), json=True) as (index, _), pytest.raises(Unknown):
        index.links("demo", "1.0")
