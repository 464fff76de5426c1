"""uv gets the logins of indexes and proxies, and no build backend that it runs can find them."""

from __future__ import annotations

import base64
import json
import os
import tarfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support import sample_projects
from tests.support.faulty_server import Exchange, run_server

from unmoor.adapters import uv as uv_adapter
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv
from unmoor.adapters.uv_settings import as_toml, folders, settings
from unmoor.errors import ConfigError, Denied
from unmoor.ports.shell import Ran

WHEEL = "anvil_one-1.0-py3-none-any.whl"
LOGIN = "Basic " + base64.b64encode(b"someone:s3cret").decode()

# The backend of a project, which writes down whatever it can read: its variables and those of its ancestors, up to the
# process of the tests; the files of its HOME; what is left of its input.
SPY = """
import os, sys
def processes():
    process = os.getpid()
    while process > 1:
        yield process
        if process == PARENT:
            return
        with open(f"/proc/{process}/stat") as stream:
            process = int(stream.read().rpartition(")")[2].split()[1])
def spy():
    for process in processes():
        for name in ("environ", "cmdline"):
            try:
                with open(f"/proc/{process}/{name}", "rb") as stream:
                    yield f"{name} of {process}", stream.read().decode(errors="replace")
            except OSError:
                pass
    yield "HOME", os.environ["HOME"]
    for folder, _, names in os.walk(os.path.expanduser("~")):
        for name in names:
            with open(os.path.join(folder, name)) as stream:
                yield os.path.join(folder, name), stream.read()
    for variable in ("UV_CONFIG_FILE", "PIP_CONFIG_FILE"):
        if os.environ.get(variable):
            with open(os.environ[variable]) as stream:
                yield variable, stream.read()
    yield "input", sys.stdin.read()
with open(SEEN, "w") as stream:
    import json
    json.dump(list(spy()), stream)
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The address, without its scheme, of an index that wants a login, and of a proxy that wants one."""
    wheel = tmp_path / "wheels" / WHEEL
    wheel.parent.mkdir()
    sample_projects.write_wheel(wheel, "anvil_one", {"anvil_one.py": ""})

    def serve(exchange: Exchange) -> None:
        through_proxy = exchange.path.startswith("http://")
        wanted, status = ("Proxy-Authorization", 407) if through_proxy else ("Authorization", 401)
        if exchange.path.startswith("/open/"):
            exchange.answer(404)
        elif exchange.headers.get(wanted) != LOGIN:
            challenge = {407: "Proxy-Authenticate", 401: "WWW-Authenticate"}[status]
            exchange.answer(status, headers={challenge: 'Basic realm="index"'})
        elif exchange.path.endswith(".whl"):
            exchange.answer(200, wheel.read_bytes(), kind="application/zip")
        elif exchange.path.rstrip("/").endswith(("/simple/anvil-one", "/links")):
            exchange.answer(200, f'<a href="/files/{WHEEL}">{WHEEL}</a>', kind="text/html")
        else:
            exchange.answer(404)

    with run_server(serve) as server:
        yield server.url.removeprefix("http://")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A cache of uv without packages from elsewhere."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def sdist(tmp_path: Path) -> Path:
    """An sdist whose build backend spies."""
    seen = tmp_path / "seen.json"
    files = sample_projects.files("small-one")
    files["own.py"] += f"\nPARENT, SEEN = {os.getpid()}, {str(seen)!r}\n{SPY}"
    source = sample_projects.write_files(tmp_path / "small_one-1.0", files)
    path = tmp_path / "small_one-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(source, source.name)
    return path


# Each way in which users say where packages are and with which login: variables and files below HOME.
WAYS: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "pip's variable": ({"PIP_INDEX_URL": "http://someone:s3cret@{index}/simple"}, {}),
    "pip's second variable": (
        {"PIP_INDEX_URL": "http://{index}/none", "PIP_EXTRA_INDEX_URL": "http://someone:s3cret@{index}/simple"},
        {},
    ),
    "pip's links": (
        {"PIP_INDEX_URL": "http://{index}/open", "PIP_FIND_LINKS": "/nowhere http://someone:s3cret@{index}/links"},
        {},
    ),
    "uv's variable": ({"UV_DEFAULT_INDEX": "http://someone:s3cret@{index}/simple"}, {}),
    "uv's old variable": ({"UV_INDEX_URL": "http://someone:s3cret@{index}/simple"}, {}),
    "uv's second variable": ({"UV_INDEX": "mine=http://someone:s3cret@{index}/simple"}, {}),
    "uv's old second variable": ({"UV_EXTRA_INDEX_URL": "http://someone:s3cret@{index}/simple"}, {}),
    "uv's links": ({"UV_INDEX_URL": "http://{index}/open", "UV_FIND_LINKS": "http://someone:s3cret@{index}/links"}, {}),
    "variables for a name": (
        {
            "UV_INDEX": "my-own=http://{index}/simple",
            "UV_INDEX_MY_OWN_USERNAME": "someone",
            "UV_INDEX_MY_OWN_PASSWORD": "s3cret",
        },
        {},
    ),
    "uv.toml": (
        {},
        {".config/uv/uv.toml": '[[index]]\nurl = "http://someone:s3cret@{index}/simple"\ndefault = true\n'},
    ),
    "uv.toml, old": ({}, {".config/uv/uv.toml": '[pip]\nindex-url = "http://someone:s3cret@{index}/simple"\n'}),
    "another uv.toml": (
        {"UV_CONFIG_FILE": "{home}/mine.toml"},
        {"mine.toml": 'extra-index-url = ["http://someone:s3cret@{index}/simple"]\n'},
    ),
    "a .netrc": (
        {"PIP_INDEX_URL": "http://{index}/simple"},
        {".netrc": "machine 127.0.0.1 login someone password s3cret\n"},
    ),
    "uv auth login": (
        {"UV_INDEX_URL": "http://{index}/simple"},
        {
            ".local/share/uv/credentials/credentials.toml": '[[credential]]\nservice = "http://{index}/"\n'
            'username = "someone"\nscheme = "basic"\npassword = "s3cret"\n'
        },
    ),
    "a keyring": (
        {"UV_INDEX_URL": "http://someone@{index}/simple", "PATH": "{home}/bin:{path}"},
        {
            ".config/uv/uv.toml": 'keyring-provider = "subprocess"\n',
            "bin/keyring": '#!/bin/sh\n[ "$*" = "get http://{index}/simple someone" ] && cat "$HOME/.passwords"\n',
            ".passwords": "s3cret\n",
        },
    ),
    "a keyring by a variable": (
        {
            "UV_INDEX_URL": "http://someone@{index}/simple",
            "UV_KEYRING_PROVIDER": "subprocess",
            "PATH": "{home}/bin:{path}",
        },
        {
            "bin/keyring": '#!/bin/sh\n[ "$2 $3" = "{index} someone" ] && cat "$HOME/.passwords"\n',
            ".passwords": "s3cret\n",
        },
    ),
    "a proxy": ({"UV_INDEX_URL": "http://example.invalid/simple", "HTTP_PROXY": "http://someone:s3cret@{index}"}, {}),
    "a proxy, in lower case": (
        {"UV_INDEX_URL": "http://example.invalid/simple", "http_proxy": "someone:s3cret@{index}"},
        {},
    ),
}


def installed(uv: Uv, folder: Path, *what: str) -> list[tuple[str, str]]:
    """Install something with uv, and return what the spying backend found."""
    environment = uv.fresh(folder / "env")
    environment.install(what)
    assert environment.run(["python", "-c", "import anvil_one"], cwd=folder).code == 0
    return [(where, text) for where, text in json.loads((folder / "seen.json").read_text())]


def filled(text: str, index: str, home: Path) -> str:
    """Return a text with the places of a test in it."""
    for name, value in (("index", index), ("home", str(home)), ("path", os.environ["PATH"])):
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.parametrize("way", WAYS)
def test_an_index_behind_a_login(way: str, index: str, sdist: Path, shell: LocalShell, cache: str) -> None:
    """An install works, and the backend of an sdist that is built for it finds the login nowhere."""
    variables, files = WAYS[way]
    home = sdist.parent / "user"
    home.mkdir()
    for name, text in files.items():
        sample_projects.write_files(home, {name: filled(text, index, home)})
        (home / name).chmod(0o700)
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "UV_CACHE_DIR": cache}
    environ |= {name: filled(value, index, home) for name, value in variables.items()}
    seen = installed(Uv(shell=shell, environ=environ), sdist.parent, "anvil-one", str(sdist))
    assert [where for where, text in seen if "s3cret" in text] == []
    assert dict(seen)["HOME"] not in {"", str(home)}
    # It would have found a login that uv has in its variables or its arguments.
    assert len([where for where, _ in seen if where.startswith("environ")]) > 1


def test_the_index_of_a_world_behind_a_login(
    index: str, sdist: Path, shell: LocalShell, tmp_path: Path, cache: str
) -> None:
    """The same for the only index that dependencies may come from; the user's own are not asked."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_INDEX": "http://127.0.0.1:9/simple"}
    environ["UV_CACHE_DIR"] = cache
    uv = Uv(shell=shell, environ=environ, dependencies=f"http://someone:s3cret@{index}/simple")
    seen = installed(uv, tmp_path, "anvil-one", str(sdist))
    assert [where for where, text in seen if "s3cret" in text] == []


def test_settings_where_no_path_leads_to_the_input(
    index: str, shell: LocalShell, tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows uv reads them from a file, which only the user can read and which is gone when uv ends."""
    monkeypatch.setattr(uv_adapter, "stdin_path", lambda: "")
    named: list[Path] = []
    run = LocalShell.run

    def watching(self: LocalShell, args: Sequence[str], **options: Any) -> Ran:
        files = [Path(each.partition("=")[2]) for each in args if each.startswith("--config-file=")]
        assert all(file.parent.stat().st_mode & 0o77 == 0 for file in files)
        named.extend(files)
        return run(self, args, **options)

    monkeypatch.setattr(LocalShell, "run", watching)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_CACHE_DIR": cache}
    environ["UV_DEFAULT_INDEX"] = f"http://someone:s3cret@{index}/simple"
    environment = Uv(shell=shell, environ=environ).fresh(tmp_path / "env")
    environment.install(["anvil-one"])
    assert environment.run(["python", "-c", "import anvil_one"], cwd=tmp_path).code == 0
    assert named
    assert not any(file.parent.exists() for file in named)


def test_without_its_login_the_index_refuses(index: str, shell: LocalShell, tmp_path: Path) -> None:
    """The tests above would fail without the login."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_DEFAULT_INDEX": f"http://{index}/simple"}
    environment = Uv(shell=shell, environ=environ).fresh(tmp_path / "env")
    with pytest.raises(Denied, match="anvil-one"):
        environment.install(["anvil-one"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PIP_INDEX_URL": "https://a.example.org"}, {"index": [{"url": "https://a.example.org", "default": True}]}),
        (
            {"PIP_INDEX_URL": "https://a.example.org", "UV_INDEX_URL": "https://b.example.org"},
            {"index": [{"url": "https://b.example.org", "default": True}]},
        ),
        ({"PIP_EXTRA_INDEX_URL": "https://a.example.org"}, {"index": [{"url": "https://a.example.org"}]}),
        (
            {"UV_INDEX": "one=https://a.example.org https://b.example.org/?a=b"},
            {"index": [{"name": "one", "url": "https://a.example.org"}, {"url": "https://b.example.org/?a=b"}]},
        ),
        (
            {"PIP_FIND_LINKS": "/nowhere / https://a.example.org"},
            {"find-links": ["/", "https://a.example.org"]},
        ),
        ({"PIP_FIND_LINKS": "/nowhere"}, {}),
        ({"PIP_NO_INDEX": "1", "UV_FIND_LINKS": "/,/two"}, {"no-index": True, "find-links": ["/", "/two"]}),
        ({"HTTPS_PROXY": "http://proxy:3128"}, {}),
        ({"HTTPS_PROXY": "http://a:b@proxy:3128"}, {"https-proxy": "http://a:b@proxy:3128"}),
    ],
)
def test_settings_of_variables(given: Mapping[str, str], expected: Mapping[str, Any]) -> None:
    """The variables of pip and uv as settings of uv; uv's own have precedence."""
    assert tomllib.loads(as_toml(settings(given))) == expected


def test_settings_of_files(tmp_path: Path) -> None:
    """The user's other settings stay, the variables' indexes come first, and a world's index replaces everything."""
    environ = {"HOME": str(tmp_path), "UV_INDEX": "https://a.example.org"}
    text = 'link-mode = "copy"\ncache-dir = "/cache"\n[[index]]\nurl = "https://b.example.org"\n'
    sample_projects.write_files(tmp_path, {".config/uv/uv.toml": text})
    found = settings(environ)
    assert found == {"link-mode": "copy", "index": [{"url": "https://a.example.org"}, {"url": "https://b.example.org"}]}
    assert folders(environ)["UV_CACHE_DIR"] == "/cache"
    assert folders({**environ, "UV_CACHE_DIR": "/other"})["UV_CACHE_DIR"] == "/other"
    only = settings(environ, dependencies="https://c.example.org")
    assert only == {"index": [{"url": "https://c.example.org", "default": True}]}


def test_paths_in_files(tmp_path: Path) -> None:
    """A path is relative to the file that it is in, as uv takes it."""
    text = 'find-links = ["wheels", "/all", "https://a.example.org"]\n[[index]]\nurl = "../simple"\n'
    file = sample_projects.write_files(tmp_path, {"settings/uv.toml": text}) / "settings" / "uv.toml"
    found = settings({"UV_CONFIG_FILE": str(file)})
    assert found["find-links"] == [str(file.parent / "wheels"), "/all", "https://a.example.org"]
    assert found["index"] == [{"url": str(file.parent / "../simple")}]


def test_settings_that_are_missing(tmp_path: Path) -> None:
    """A file that a variable names has to be there; the user's own need not."""
    assert settings({"HOME": str(tmp_path)}) == {}
    with pytest.raises(ConfigError, match="cannot be read"):
        settings({"UV_CONFIG_FILE": str(tmp_path / "uv.toml")})


@pytest.mark.parametrize(
    "text",
    [
        "index = [",
        "\xff",
        'index = "https://a.example.org"',
        "index = [{}]",
        "find-links = 1",
        "pip = 1",
        "index = [1]",
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, text: str) -> None:
    """The error names the user's file."""
    file = tmp_path / ".config" / "uv" / "uv.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        settings({"HOME": str(tmp_path)})
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"UV_LINK_MODE": "symlink"}, ""),
        ({}, 'link-mode = "symlink"\n'),
        ({}, '[pip]\nlink-mode = "symlink"\n'),
        ({"UV_LINK_MODE": "copy"}, 'link-mode = "symlink"\n'),
        ({"UV_LINK_MODE": "hardlink"}, ""),
    ],
)
def test_no_link_into_the_cache(
    *, variables: Mapping[str, str], text: str, shell: LocalShell, tmp_path: Path, cache: str
) -> None:
    """Installed files are in the environment, also if the user's uv installs symbolic links into its cache."""
    sample_projects.write_files(tmp_path, {".config/uv/uv.toml": text})
    wheel = tmp_path / WHEEL
    sample_projects.write_wheel(wheel, "anvil_one", {"anvil_one.py": ""})
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_CACHE_DIR": cache, **variables}
    environment = Uv(shell=shell, environ=environ).fresh(tmp_path / "env")
    environment.install([str(wheel)])
    assert not (environment.packages / "anvil_one.py").is_symlink()
