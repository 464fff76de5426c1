"""If an install fails, the error says whether the network, an index, this machine or the project is at fault."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.faulty_server import Exchange, run_server
from tests.support.shells import shell_for_tests
from tests.support.systems import posix

from unmoor.adapters.pep517 import Pep517
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv, UvEnvironment
from unmoor.adapters.uv_failures import indexes_of, read_failure
from unmoor.adapters.uv_settings import settings
from unmoor.advice import NextStep
from unmoor.errors import (
    Cause,
    CheckFailed,
    Conflict,
    Denied,
    TimedOut,
    ToolMissing,
    Unknown,
    UnmoorError,
)
from unmoor.ports.shell import Ran
from unmoor.render.advice import next_step
from unmoor.util.values import replace

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = "anvil_one-1.0-py3-none-any.whl"
LOGIN = "<html><form><input name='password'></form></html>"

Fault = Callable[[Exchange], None]


def _wheel() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WHEEL
        sample_projects.write_wheel(path, "anvil_one", {"anvil_one.py": ""}, "1.0")
        return path.read_bytes()


DATA = _wheel()


class Index:
    """An index with one wheel. ``pages`` and ``files`` answer the next requests for a page or a file."""

    def __init__(self, pages: list[Fault], files: list[Fault]) -> None:
        self.pages, self.files = pages, files

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request. The last fault of a list stays."""
        faults = self.files if exchange.path.startswith("/files/") else self.pages
        if faults:
            (faults.pop(0) if len(faults) > 1 else faults[0])(exchange)
        else:
            good(exchange)


def good(exchange: Exchange) -> None:
    """Answer as an index does that supports no HEAD."""
    if exchange.command == "HEAD":
        exchange.answer(405)
        return
    if exchange.path.startswith("/files/"):
        exchange.answer(200, DATA, kind="application/zip")
    elif exchange.path == "/simple/anvil-one/":
        file = {"filename": WHEEL, "url": f"/files/{WHEEL}", "hashes": {"sha256": hashlib.sha256(DATA).hexdigest()}}
        exchange.json({"meta": {"api-version": "1.0"}, "name": "anvil-one", "files": [file]}, kind=JSON)
    else:
        exchange.answer(404)


def status(code: int, **headers: str) -> Fault:
    """Answer with a status."""
    return lambda x: x.answer(code, "no", headers={name.replace("_", "-"): value for name, value in headers.items()})


def body(text: str | bytes, kind: str = "text/html") -> Fault:
    """Answer 200 with a body."""
    return lambda x: x.answer(200, text, kind=kind)


def nothing(exchange: Exchange) -> None:
    """Close the connection without an answer."""
    exchange.close_connection = True


def cut(exchange: Exchange) -> None:
    """Answer with the beginning of a body."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: " + JSON.encode() + b"\r\nContent-Length: 5000\r\n\r\n{")


def hang(exchange: Exchange) -> None:
    """Do not answer."""
    exchange.hang()


ASK_ONCE = {"UV_HTTP_RETRIES": "0", "UV_NO_CACHE": "1"}
"""With these variables uv asks once, and keeps nothing of the answer."""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UvEnvironment]:
    """An environment that stays empty, because each install in it fails."""
    with shell_for_tests() as shell:
        yield Uv(shell=shell).fresh(tmp_path_factory.mktemp("environment") / "env")


@pytest.fixture
def empty(made_once: UvEnvironment, uv: Uv) -> Iterator[UvEnvironment]:
    """That environment, with the uv of this test."""
    yield replace(made_once, uv=uv)
    assert [path.name for path in made_once.packages.iterdir() if not path.name.startswith("_virtualenv")] == []


def with_variables(made: UvEnvironment, **more: str) -> UvEnvironment:
    """Return the environment as if it had been made with more variables."""
    uv = replace(made.uv, environ={**made.uv.environ, **more})
    return replace(made, uv=uv, variables={**made.variables, **more})


def fails(empty: UvEnvironment, address: str, *wanted: str, timeout: int = 15) -> UnmoorError:
    """Install from an index and return the error. ``timeout`` is uv's, in seconds."""
    made = with_variables(empty, **ASK_ONCE, UV_HTTP_TIMEOUT=str(timeout))
    with pytest.raises(UnmoorError) as caught:
        replace(made, uv=replace(made.uv, dependencies=f"{address}/simple/")).install(wanted or ["anvil-one"])
    return caught.value


@pytest.mark.parametrize(
    ("fault", "cause", "words", "wait"),
    [
        (status(429), Cause.LATER, "retry later", 0),
        (status(429, Retry_After="90"), Cause.LATER, "retry later", 90),
        (status(500), Cause.LOST, "answered 500", 0),
        (status(503), Cause.LOST, "answered 503", 0),
        (status(503, Retry_After="90"), Cause.LATER, "retry later", 90),
        (status(504), Cause.LOST, "answered 504", 0),
        (status(418), Cause.LOST, "answered 418", 0),
        (nothing, Cause.LOST, "no complete answer", 0),
        (cut, Cause.LOST, "no complete answer", 0),
        (hang, Cause.LOST, "timed out", 0),
        (body(LOGIN), Cause.NONSENSE, "not its page", 0),
        (body("<html>down for maintenance</html>"), Cause.NONSENSE, "not its page", 0),
        (body(""), Cause.NONSENSE, "not its page", 0),
        (body("", JSON), Cause.NONSENSE, "not a page", 0),
        (body("{no json", JSON), Cause.NONSENSE, "not a page", 0),
        (lambda x: x.redirect("/login") if x.path != "/login" else body(LOGIN)(x), Cause.NONSENSE, "not its page", 0),
    ],
)
def test_an_index_that_gives_no_page(empty: UvEnvironment, fault: Fault, cause: Cause, words: str, wait: float) -> None:
    """The error is that of the index, with its address, and can be retried."""
    with run_server(Index([fault], [])) as server:
        error = fails(empty, server.url, timeout=1 if fault is hang else 15)
    assert (type(error), error.cause) == (Unknown, cause)
    assert words in error.what
    assert error.where.startswith(server.url)
    assert error.wait == wait
    assert "project" not in next_step(error)
    assert error.retryable


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (status(503), Unknown, "answered 503"),
        (status(404), Unknown, "answered 404"),
        (status(403), Denied, "denies access"),
        (nothing, Unknown, "no complete answer"),
        (body(LOGIN), Unknown, "not a package"),
        (body(b""), Unknown, "not a package"),
        # uv may see the end of the file or the end of the connection first.
        (body(DATA[:-200], "application/zip"), Unknown, "not a package|no complete answer"),
        (cut, Unknown, "not a package|no complete answer"),
    ],
)
def test_an_index_that_gives_no_file(empty: UvEnvironment, fault: Fault, kind: type[UnmoorError], words: str) -> None:
    """The error is that of the server, also if it serves something else than the file."""
    with run_server(Index([], [fault])) as server:
        error = fails(empty, server.url)
    assert type(error) is kind, error
    assert any(each in error.what for each in words.split("|"))
    assert "project" not in next_step(error)


def test_other_bytes_are_a_conflict(empty: UvEnvironment) -> None:
    """Bytes with another hash are fetched a second time, and then the error has both digests."""
    with run_server(Index([], [])) as server:
        error = fails(empty, server.url, f"anvil-one @ {server.url}/files/{WHEEL}#sha256={'0' * 64}")
        fetched = [path for path in server.paths() if path.startswith("/files/")]
    assert isinstance(error, Conflict)
    assert f"expected sha256:{'0' * 64}" in error.what
    assert len(fetched) >= 2


@pytest.mark.parametrize("fault", [status(500), nothing, cut, body(LOGIN), body(""), status(404), body("{no", JSON)])
@pytest.mark.parametrize("on", ["pages", "files"])
def test_a_fault_that_passes(uv: Uv, tmp_path: Path, fault: Fault, on: str) -> None:
    """One bad answer does not stop an install."""
    faults = [fault, good]
    with run_server(Index(faults if on == "pages" else [], faults if on == "files" else [])) as server:
        environ = {**uv.environ, **ASK_ONCE, "UV_HTTP_TIMEOUT": "15"}
        uv = replace(uv, dependencies=f"{server.url}/simple/", environ=environ)
        uv.fresh(tmp_path / "env").install(["anvil-one"])


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:9", "http://no-such-host.invalid", "http://someone:s3cret@127.0.0.1:9"],
)
def test_an_index_that_cannot_be_reached(empty: UvEnvironment, address: str) -> None:
    """The error says so, without the login in the address."""
    error = fails(empty, address)
    assert (type(error), error.cause) == (Unknown, Cause.UNREACHABLE)
    assert "s3cret" not in str(error)
    assert "network" in next_step(error)


@pytest.mark.parametrize("wanted", ["absent-one", "anvil-one>=2", "anvil-one==0.5"])
def test_an_index_that_answers_leaves_the_project_at_fault(empty: UvEnvironment, wanted: str) -> None:
    """A package or version that the index does not have is an error of whoever requires it."""
    with run_server(Index([], [])) as server:
        error = fails(empty, server.url, wanted)
    assert type(error) is CheckFailed
    assert "absent-one" in error.what or "anvil-one" in error.what


@pytest.mark.parametrize("code", [401, 403])
def test_an_index_that_denies_access(empty: UvEnvironment, code: int) -> None:
    """The error is one of the credential."""
    with run_server(Index([status(code)], [])) as server:
        error = fails(empty, server.url)
    assert isinstance(error, Denied)
    assert "give a login for that index" in next_step(error)


BACKEND = """
import os, sys
def build_wheel(*args, **options):
    {}
"""


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("os.kill(os.getpid(), 9)", ToolMissing, "killed by signal 9"),
        ("os.kill(os.getpid(), 15)", ToolMissing, "killed by signal 15"),
        ("raise OSError(28, os.strerror(28), 'x')", ToolMissing, "no disk space"),
        ("os.kill(os.getpid(), 11)", CheckFailed, "SIGSEGV"),
        ("sys.exit(3)", CheckFailed, "exit status: 3"),
        ("print('HTTP status server error (503 x) for url (http://x)', file=sys.stderr); 1/0", CheckFailed, "Zero"),
    ],
)
def test_a_backend_that_uv_runs(
    empty: UvEnvironment, tmp_path: Path, statement: str, kind: type[UnmoorError], words: str
) -> None:
    """A backend that was killed or had no space is not at fault; what it prints about a network does not count."""
    tree = sample_projects.write_files(
        tmp_path / "tree",
        {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n',
            "own.py": BACKEND.format(statement),
        },
    )
    with pytest.raises(kind, match=words):
        with_variables(empty, UV_NO_CACHE="1", UV_OFFLINE="1").install([str(tree)])


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("os.kill(os.getpid(), 9)", ToolMissing, "killed by signal 9"),
        ("raise OSError(28, os.strerror(28), 'x')", ToolMissing, "the build backend failed because no disk space"),
    ],
)
def test_a_backend_that_unmoor_runs(  # noqa: PLR0917 - three of them are a row of the table
    shell: LocalShell, uv: Uv, tmp_path: Path, statement: str, kind: type[UnmoorError], words: str
) -> None:
    """The same holds for the build itself."""
    tree = sample_projects.write_files(
        tmp_path / "tree",
        {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n',
            "own.py": BACKEND.format(statement),
        },
    )
    with pytest.raises(kind, match=words) as caught:
        Pep517(shell=shell, uv=uv).wheel(tree, tmp_path / "out", env={})
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("fault", "cause"), [(status(503), Cause.LOST), (body(LOGIN), Cause.NONSENSE), (nothing, Cause.LOST)]
)
def test_what_a_build_requires(  # noqa: PLR0917 - two of them are a row of the table
    shell: LocalShell, uv: Uv, tmp_path: Path, in_tree: Path, fault: Fault, cause: Cause
) -> None:
    """If the index does not answer for a requirement of the build, the advice does not name pyproject.toml."""
    pyproject = in_tree / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("requires = []", 'requires = ["anvil-one"]'))
    with run_server(Index([fault], [])) as server:
        environ = {**uv.environ, **ASK_ONCE}
        uv = replace(uv, dependencies=f"{server.url}/simple/", environ=environ)
        with pytest.raises(Unknown) as caught:
            Pep517(shell=shell, uv=uv).sdist(in_tree, tmp_path / "out", env={})
    assert caught.value.cause is cause
    assert "build-system" not in next_step(caught.value)


class _Slow:
    """A shell in which every program takes too long."""

    def run(self, *_args: object, **_options: object) -> Ran:
        raise TimedOut("uv ran for more than 900 s and was stopped", next_step=NextStep("wait"))


def test_an_install_that_takes_too_long(empty: UvEnvironment) -> None:
    """The error is one of the network, and not of the project."""
    with pytest.raises(Unknown, match="900 s"):
        replace(empty, uv=replace(empty.uv, shell=_Slow())).install(["anvil-one"])


@pytest.mark.parametrize(
    ("env", "addresses"),
    [
        ({}, []),
        ({"UV_DEFAULT_INDEX": "https://a.example.org/simple"}, ["https://a.example.org/simple"]),
        (
            {
                "UV_INDEX": "own=https://u:p@b.example.org/simple https://c.example.org",
                "UV_INDEX_URL": "https://d.example.org",
            },
            ["https://d.example.org", "https://u:p@b.example.org/simple", "https://c.example.org"],
        ),
        ({"UV_EXTRA_INDEX_URL": "/a/folder https://c.example.org"}, ["https://c.example.org"]),
        ({"UV_DEFAULT_INDEX": "https://a.example.org", "UV_OFFLINE": "1"}, []),
        ({"UV_DEFAULT_INDEX": "https://a.example.org", "UV_NO_INDEX": "1"}, []),
    ],
)
def test_indexes_that_uv_uses(env: dict[str, str], addresses: list[str]) -> None:
    """Every index that the settings name is asked, unless uv may use none."""
    assert list(indexes_of(settings(env), env).values()) == addresses


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("error: Failed to install: demo.whl\n  Caused by: failed to rename: Permission denied (os error 13)", Denied),
        ("error: failed to write to the cache\n  Caused by: Read-only file system (os error 30)", Denied),
        (
            "error: Failed to fetch: `https://a/b`\n  Caused by: could not write: Permission denied (os error 13)",
            Denied,
        ),
        ("error: Failed to fetch: `https://a/b`\n  Caused by: Connection reset by peer (os error 104)", Unknown),
        ("error: File not found: `missing.txt`: No such file or directory (os error 2)", None),
        ("error: demo has no such version", None),
        ("error: failed to build\n[stderr]\nopen: Permission denied (os error 13)", None),
    ],
)
@posix
def test_a_file_that_uv_cannot_use(lines: str, expected: type[UnmoorError] | None) -> None:
    """What uv may not write on this machine is no fault of the project; what a backend says about files may be one."""
    error = read_failure(Ran(args=("uv",), code=2, out="", err=lines), "could not install demo", {})
    assert error is None if expected is None else isinstance(error, expected)
