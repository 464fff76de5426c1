"""World files: the worlds they describe, all faults at once, and no secret in any message or value."""

from __future__ import annotations

import math
import os
import traceback
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from urllib.parse import urlsplit

import keyring
import pytest
import twine.utils
from tests.support.systems import posix

from unmoor.config.real_world import upload_addresses
from unmoor.config.worlds import read_world, real_world
from unmoor.errors import ConfigError
from unmoor.ports.world import (
    ForgePlace,
    IndexPlace,
    Login,
    RegistryPlace,
    ScanningPlace,
    SigningPlace,
    Trusted,
    WheelPlatforms,
    World,
)
from unmoor.rehearsal.shared import worldfile
from unmoor.rehearsal.shared.worldfile import Addresses, credentials
from unmoor.util.secret import Secret
from unmoor.util.values import replace

CANARY = "canary-7f3a"
PATIENCE = "line 3: patience: expected a number from 0.1 to 86400"
LOCAL = f"""\
name = "local"
rehearsal = true
[index]
upload = "http://127.0.0.1:1/legacy/"
simple = "http://127.0.0.1:1/simple/"
json = "http://127.0.0.1:1/pypi/"
page = "http://127.0.0.1:1/project/{{project}}/{{version}}/"
password = "{CANARY}"
[staging]
upload = "http://127.0.0.1:2/legacy"
simple = "http://127.0.0.1:2/simple"
password = "env:STAGING"
[dependencies]
simple = "https://example.org/simple"
[forge]
api = "http://127.0.0.1:3/api/v3/"
repository = "owner/name"
token = "file:secrets/token"
[git]
remote = "/srv/remote.git"
"""
SIGNING = f"""
[signing]
trust = "trust.json"
identity = "http://127.0.0.1:4/token/"
token = "{CANARY}"
"""

WriteWorld = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteWorld:
    """Write a world file. By default, only its owner can read it."""

    def write(text: str, mode: int = 0o600) -> Path:
        path = tmp_path / "world.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    return write


def refusal(path: Path, environ: dict[str, str] | None = None) -> str:
    """Read a world that must be refused. Returns the message, without the folder, and its next step.

    The canary must not be in the message or the traceback.
    """
    with pytest.raises(ConfigError) as raised:
        read_world(path, environ or {})
    printed = "".join(traceback.format_exception(raised.value))
    assert CANARY not in printed
    assert CANARY not in repr(raised.value)
    return f"{raised.value} -> {raised.value.next_step}".replace(f"{path.parent}{os.sep}", "")


def test_a_whole_world(write: WriteWorld) -> None:
    """Every key sets its field, with normalized slashes and resolved references."""
    path = write(LOCAL)
    (path.parent / "secrets").mkdir()
    (path.parent / "secrets" / "token").write_text(f"{CANARY}\n", encoding="utf-8")
    world = read_world(path, {"STAGING": CANARY}, trusted=Trusted.NEVER)
    token_file = path.parent / "secrets" / "token"
    assert world == World(
        name="local",
        rehearsal=True,
        index=IndexPlace(
            name="pypi",
            upload="http://127.0.0.1:1/legacy/",
            simple="http://127.0.0.1:1/simple/",
            json="http://127.0.0.1:1/pypi/",
            page="http://127.0.0.1:1/project/{project}/{version}/",
            login=Login(username="__token__", secret=Secret(CANARY), origin=str(path)),
            trusted=Trusted.NEVER,
        ),
        staging=IndexPlace(
            name="testpypi",
            upload="http://127.0.0.1:2/legacy/",
            simple="http://127.0.0.1:2/simple/",
            json="",
            page="http://127.0.0.1:2/simple/{project}/",
            login=Login(username="__token__", secret=Secret(CANARY), origin="the environment variable STAGING"),
            trusted=Trusted.NEVER,
        ),
        dependencies="https://example.org/simple/",
        forge=ForgePlace(
            api="http://127.0.0.1:3/api/v3",
            uploads="http://127.0.0.1:3/api/uploads",
            site="http://127.0.0.1:3",
            repository="owner/name",
            login=Login(username="", secret=Secret(CANARY), origin=f"the file {token_file}"),
        ),
        remote="/srv/remote.git",
    )
    assert CANARY not in f"{world!r} {world}"


@pytest.mark.parametrize(
    ("setting", "project", "expected"),
    [
        ("", Trusted.AUTO, Trusted.AUTO),
        ("", Trusted.ALWAYS, Trusted.ALWAYS),
        ("always", Trusted.NEVER, Trusted.ALWAYS),
        ("never", Trusted.ALWAYS, Trusted.NEVER),
        ("auto", Trusted.NEVER, Trusted.AUTO),
    ],
)
def test_an_index_decides_on_trusted_publishing_before_the_project(
    write: WriteWorld, setting: str, project: Trusted, expected: Trusted
) -> None:
    """The project's setting applies to an index whose table does not set it."""
    line = f'trusted-publishing = "{setting}"\n' if setting else ""
    world = read_world(write(SMALL + line), {}, repository="owner/name", trusted=project)
    assert world.index.trusted is expected


SMALL = 'name = "x"\n[index]\nupload = "https://example.org/u/"\nsimple = "https://example.org/s/"\n'


def test_the_smallest_world(write: WriteWorld) -> None:
    """A private index needs four lines. The forge is the real one, the repository the project's, without staging."""
    world = read_world(write(SMALL, 0o644), {"GITHUB_TOKEN": CANARY}, repository="owner/name")
    assert world.staging is None
    assert (world.rehearsal, world.dependencies, world.remote) == (False, "", "origin")
    assert world.index.login == Login(
        username="__token__", secret=Secret(""), origin=f"nowhere: {world_file(world)} names no credential"
    )
    assert (world.forge.api, world.forge.repository) == ("https://api.github.com", "owner/name")
    assert world.forge.login == Login(
        username="", secret=Secret(CANARY), origin="the environment variable GITHUB_TOKEN"
    )


def world_file(world: World) -> str:
    """Return the path in the origin of the index's login."""
    return world.index.login.origin.removeprefix("nowhere: ").removesuffix(" names no credential")


def test_the_usual_token_goes_to_the_usual_forge_only(write: WriteWorld) -> None:
    """GITHUB_TOKEN does not go to a forge with its own address unless the file says so."""
    forge = '[forge]\napi = "https://git.example.org/api/v3"\n'
    world = read_world(write(SMALL + forge), {"GITHUB_TOKEN": CANARY})
    assert not world.forge.login.secret
    world = read_world(write(SMALL + forge + 'token = "env:GITHUB_TOKEN"\n'), {"GITHUB_TOKEN": CANARY})
    assert world.forge.login.secret == Secret(CANARY)
    assert (world.forge.uploads, world.forge.site) == ("https://git.example.org/api/uploads", "https://git.example.org")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("token =", "tokn =", 'line 18: forge.tokn: there is no such key; did you mean "token"?'),
        ("[forge]", "[forg]", 'line 15: forg: there is no such key; did you mean "forge"?'),
        (
            'name = "local"\n',
            "",
            "name: missing: expected a short name: letters, digits, and spaces . _ - between them",
        ),
        (
            'name = "local"',
            "name = 1",
            "line 1: name: expected a short name: letters, digits, and spaces . _ - between them, got the number 1",
        ),
        (
            'name = "local"',
            f'name = "{CANARY} "',
            "line 1: name: expected a short name: letters, digits, and spaces . _ - between them, got other text",
        ),
        *(
            (
                "rehearsal = true",
                f"rehearsal = true\npatience = {given}",
                f"{PATIENCE}, {got}",
            )
            for given, got in (
                ("0", "got the number 0"),
                ("-1", "got the number -1"),
                ("nan", "got the number nan"),
                ("inf", "got a number too large"),
                ("1e9", "got the number 1000000000.0"),
                ('"5s"', "got other text"),
                ("true", "got true"),
            )
        ),
        ("rehearsal = true", 'rehearsal = "yes"', "line 2: rehearsal: expected true or false, got other text"),
        ('upload = "http://127.0.0.1:1/legacy/"\n', "", "line 3: index.upload: missing: expected text"),
        ('simple = "http://127.0.0.1:1/simple/"', "simple = []", "line 5: index.simple: expected text, got a list"),
        (
            "http://127.0.0.1:1/simple/",
            f"http://u:{CANARY}@127.0.0.1/",
            "line 5: index.simple: an address must not contain credentials; set password or token instead",
        ),
        (
            "http://127.0.0.1:1/simple/",
            "http://example.org/",
            "line 5: index.simple: http is for loopback addresses only; use https for example.org",
        ),
        (
            "http://127.0.0.1:1/simple/",
            "https://example.org/",
            "line 5: index.simple: not a loopback address, in a world with rehearsal = true",
        ),
        ("{project}", "{projekt}", "line 7: index.page: only {project} and {version} are allowed in braces"),
        (
            f'"{CANARY}"',
            f'"vault:{CANARY}"',
            "line 8: index.password: the prefix before the colon is not one of env:, file:, keyring:",
        ),
        (
            f'"{CANARY}"',
            f'"ENV:{CANARY}"',
            "line 8: index.password: the prefix before the colon is not one of env:, file:, keyring:",
        ),
        (
            f'"{CANARY}"',
            f'"env:{CANARY}"',
            'line 8: index.password: expected the name of an environment variable after "env:"',
        ),
        (f'"{CANARY}"', '"file:"', 'line 8: index.password: expected printable characters after "file:"'),
        (
            f'"{CANARY}"',
            f'"{CANARY}\\n"',
            "line 8: index.password: a credential must not contain line breaks or control characters",
        ),
        (f'"{CANARY}"', f'["{CANARY}"]', "line 8: index.password: expected text, got a list"),
        (
            f'password = "{CANARY}"',
            f'username = "u:{CANARY}"',
            "line 8: index.username: expected a user name: printable, without colon, at most 200 characters",
        ),
        (
            "127.0.0.1:2/legacy",
            "127.0.0.1:1/legacy",
            "line 10: staging.upload: the same address as index.upload: nothing would be tested first",
        ),
        ("[staging]", '[staging]\nname = "pypi"', "line 10: staging.name: the same name as index.name"),
        ("owner/name", CANARY, "line 17: forge.repository: expected owner/name, got other text"),
        ("/api/v3/", "/", "line 15: forge.uploads: missing: cannot derive it from this api"),
        (
            'api = "http://127.0.0.1:3/api/v3/"',
            'site = "http://127.0.0.1:3"',
            "line 15: forge.api: missing: uploads and site are given, so api must be too",
        ),
        (
            "/srv/remote.git",
            f"https://{CANARY}@example.org/x",
            "line 20: git.remote: an address must not contain credentials; set password or token instead",
        ),
        (
            "/srv/remote.git",
            "ext::sh",
            "line 20: git.remote: expected a git remote: a name, an absolute path or an address (https, ssh, file)",
        ),
    ],
)
def test_each_fault_has_its_message(write: WriteWorld, old: str, new: str, message: str) -> None:
    """The message for a fault has its line, and does not quote the file."""
    assert old in LOCAL
    assert message in refusal(write(LOCAL.replace(old, new, 1)))


@pytest.mark.parametrize(("line", "patience"), [("", math.inf), ("patience = 5", 5.0), ("patience = 0.5", 0.5)])
def test_patience(write: WriteWorld, line: str, patience: float) -> None:
    """Seconds, whole or not. Without it, each wait has its own limit."""
    assert read_world(write(LOCAL.replace("[index]", f"{line}\n[index]", 1)), {}).patience == patience


REGISTRIES = f"""
[[registry]]
host = "ghcr.io"
address = "http://127.0.0.1:4/"
username = "somebody"
password = "{CANARY}"
[[registry]]
host = "registry.example.org:5000"
address = "http://127.0.0.1:5"
password = "env:REGISTRY"
"""


def test_registries(write: WriteWorld) -> None:
    """Each registry has its table. The address is derived from the host unless the table sets it."""
    path = write(LOCAL + REGISTRIES)
    first, second = read_world(path, {"REGISTRY": CANARY}).registries
    assert first == RegistryPlace(
        host="ghcr.io",
        address="http://127.0.0.1:4",
        login=Login(username="somebody", secret=Secret(CANARY), origin=str(path)),
    )
    assert (second.host, second.login.origin) == ("registry.example.org:5000", "the environment variable REGISTRY")
    (real,) = read_world(write(SMALL + '[[registry]]\nhost = "ghcr.io"\n'), {}).registries
    assert (real.address, bool(real.login.secret)) == ("https://ghcr.io", False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"ghcr.io"',
            '"GHCR.io"',
            "line 23: registry.1.host: expected a host in lowercase, with its port if it has one",
        ),
        ('"registry.example.org:5000"', '"ghcr.io"', "line 28: registry.2.host: another table has this host already"),
        ("[[registry]]", "[registry]", "line 27, column 11: this is not TOML"),
        ("address =", "adress =", 'line 24: registry.1.adress: there is no such key; did you mean "address"?'),
        (
            "http://127.0.0.1:5",
            "https://example.org",
            "line 29: registry.2.address: not a loopback address, in a world with rehearsal = true",
        ),
        (
            "http://127.0.0.1:4/",
            "https://example.org",
            (
                "registry.1.password: a literal credential is for loopback addresses only,"
                " and registry.1.address is not one"
            ),
        ),
        ('address = "http://127.0.0.1:4/"\n', "", "line 22: registry.1.address: not a loopback address"),
    ],
)
def test_each_fault_of_a_registry_has_its_message(write: WriteWorld, old: str, new: str, message: str) -> None:
    """The message for a fault in an array of tables has the number of the table and the line."""
    assert old in REGISTRIES
    assert message in refusal(write(LOCAL + REGISTRIES.replace(old, new, 1)))


def test_scanning(write: WriteWorld) -> None:
    """Only the real world asks the public service without being told; a rehearsal never does."""
    assert real_world("owner/name", {"HOME": "/home/user"}).scanning == ScanningPlace(service="")
    assert read_world(write(LOCAL), {}).scanning is None
    assert read_world(write(SMALL + "[scanning]\n"), {}).scanning == ScanningPlace(service="")
    own = read_world(write(SMALL + '[scanning]\nservice = "https://osv.example/"\n'), {})
    assert own.scanning == ScanningPlace(service="https://osv.example")
    for table in ("[scanning]\n", '[scanning]\nservice = "https://osv.example"\n'):
        with pytest.raises(ConfigError, match=r"scanning\.service: not a loopback address"):
            read_world(write(LOCAL.replace("[index]", f"{table}\n[index]", 1)), {})


def test_signing(write: WriteWorld) -> None:
    """A world signs only if it has a table for it. An empty one is the public instance and the job's identity."""
    path = write(LOCAL + SIGNING)
    assert read_world(path, {}).signing == SigningPlace(
        trust=str(path.parent / "trust.json"),
        identity="http://127.0.0.1:4/token",
        token=Login(username="", secret=Secret(CANARY), origin=str(path)),
    )
    assert read_world(write(LOCAL), {}).signing is None
    assert read_world(write(SMALL + "[signing]\n"), {}).signing == SigningPlace(trust="", identity="")
    assert real_world("owner/name", {"HOME": str(path.parent)}).signing == SigningPlace(trust="", identity="")


@pytest.mark.parametrize(
    ("path", "expected"), [("/srv/t.json", "/srv/t.json"), ("~/t.json", "HOME/t.json"), ("a/t.json", "DIR/a/t.json")]
)
def test_the_file_with_trusted_keys(write: WriteWorld, path: str, expected: str) -> None:
    """It is relative to the world file, or to the user's home."""
    file = write(SMALL + f'[signing]\ntrust = "{path}"\n')
    signing = read_world(file, {"HOME": "/home/user"}).signing
    assert signing is not None
    wanted = Path(expected.replace("HOME", "/home/user").replace("DIR", str(file.parent)))
    assert Path(signing.trust) == file.parent / wanted  # which adds the drive on Windows


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("identity =", "idntity =", 'line 24: signing.idntity: there is no such key; did you mean "identity"?'),
        ('"trust.json"', '"a\\nb"', "line 23: signing.trust: expected a path: printable, at most 4000 characters"),
        ('"trust.json"', "1", "line 23: signing.trust: expected text, got the number 1"),
        ('trust = "trust.json"', "", "signing.trust: empty, which is the public instance, in a world with rehearsal"),
        (
            "http://127.0.0.1:4/token/",
            "http://example.org/token",
            "line 24: signing.identity: http is for loopback addresses only; use https for example.org",
        ),
        (
            "http://127.0.0.1:4/token/",
            "https://example.org/token",
            "line 24: signing.identity: not a loopback address, in a world with rehearsal = true",
        ),
        (
            "http://127.0.0.1:4/token/",
            "https://example.org/token",
            ("signing.token: a literal credential is for loopback addresses only, and signing.identity is not one"),
        ),
        (
            'identity = "http://127.0.0.1:4/token/"',
            "",
            "signing.token: identity is missing: the token is for requests to it",
        ),
        (
            'identity = "http://127.0.0.1:4/token/"',
            "",
            "signing.identity: empty, which is the CI job's own, in a world with rehearsal = true",
        ),
        (f'"{CANARY}"', f'"op:{CANARY}"', "line 25: signing.token: the prefix before the colon is not one of env:"),
    ],
)
def test_each_fault_of_signing_has_its_message(write: WriteWorld, old: str, new: str, message: str) -> None:
    """A rehearsal reaches neither the public instance nor the identity of a real job."""
    assert old in SIGNING
    assert message in refusal(write(LOCAL + SIGNING.replace(old, new, 1)))


def test_registries_that_are_not_arrays_of_tables(write: WriteWorld) -> None:
    """The error for a single table or a value shows the expected form."""
    message = refusal(write(SMALL + '[registry]\nhost = "ghcr.io"\n'))
    assert "line 5: registry: expected tables, [[registry]], got a table" in message
    assert "registry: expected tables, [[registry]], got a list" in refusal(write("registry = [1]\n" + SMALL))


def test_a_value_instead_of_a_table(write: WriteWorld) -> None:
    """The error for a value instead of a table says so."""
    assert (
        refusal(write('git = "x"\n' + SMALL))
        == "world.toml, line 1: git: expected a table, got other text -> correct world.toml"
    )


def test_all_faults_at_once(write: WriteWorld) -> None:
    """One error lists the faults of all tables in the order of the lines."""
    text = LOCAL.replace("token =", "tokn =").replace("env:STAGING", "op:x").replace("[git]", "[gti]")
    assert refusal(write(text)) == (
        "world.toml: 3 faults\n"
        "  line 12: staging.password: the prefix before the colon is not one of env:, file:, keyring:\n"
        '  line 18: forge.tokn: there is no such key; did you mean "token"?\n'
        '  line 19: gti: there is no such key; did you mean "git"?'
        " -> correct world.toml"
    )


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o777])
def test_a_literal_in_a_file_that_others_can_open(write: WriteWorld, mode: int) -> None:
    """The next step is the command that fixes it."""
    path = write(LOCAL, mode)
    assert refusal(path) == (
        "world.toml, line 8: index.password: a literal credential in a file that others may read or write"
        f" (mode {mode:04o}) -> close it to others: chmod 600 world.toml"
    )


def test_a_file_of_references_may_have_any_mode(write: WriteWorld) -> None:
    """A file without literals contains no secret, so its mode does not matter."""
    read_world(write(LOCAL.replace(CANARY, "env:INDEX"), 0o644), {})


def test_a_literal_for_a_remote_address(write: WriteWorld) -> None:
    """A literal is refused if it would leave this machine, whatever the file's mode."""
    message = refusal(write(SMALL + f'password = "{CANARY}"\n'))
    assert message == (
        "world.toml, line 5: index.password: a literal credential is for loopback addresses only,"
        " and index.upload is not one -> write a reference instead, such as"
        ' password = "env:NAME" (known: env:, file:, keyring:)'
    )
    message = refusal(write(SMALL + f'[forge]\ntoken = "{CANARY}"\n'))
    assert "forge.token: a literal credential is for loopback addresses only, and forge.api is not one" in message


def test_files_that_are_not_worlds(write: WriteWorld, tmp_path: Path) -> None:
    """The error for a missing file, a folder, broken TOML and bytes that are not text says where it is."""
    what, step = (
        "cannot read this world file",
        " -> name a world file, such as the one that this writes: unmoor world up",
    )
    assert refusal(tmp_path / "none.toml") == f"none.toml: {what}: No such file or directory{step}"
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path / "folder") == f"folder: {what}: Is a directory{step}"
    path = write(f'password = "{CANARY}')
    assert refusal(path).startswith("world.toml, line 1, column ") or "end of document" in refusal(path)
    path.write_bytes(b'a = "' + CANARY.encode() + b'\xff"')
    assert refusal(path) == "world.toml, line 1: this line is not UTF-8 text -> correct world.toml"


@pytest.mark.parametrize(
    ("reference", "origin"),
    [
        ("env:NONE", "the environment variable NONE, which is not set"),
        ("env:EMPTY", "the environment variable EMPTY, which is empty"),
        ("file:none", "the file DIR/none, which cannot be read (No such file or directory)"),
        ("file:~/none", "the file DIR/home/none, which cannot be read (No such file or directory)"),
        ("file:two", "the file DIR/two, which does not have exactly one line"),
        ("file:bytes", "the file DIR/bytes, which is not text"),
        ("file:.", "the file DIR, which cannot be read (Is a directory)"),
        ("keyring:service:8080", "the keyring (service:8080, __token__), which has no such password"),
    ],
)
def test_references_without_a_credential(write: WriteWorld, tmp_path: Path, reference: str, origin: str) -> None:
    """A missing credential gives an empty login whose origin says where it was searched for."""
    keyring.core.init_backend()  # a process chooses its backend once
    (tmp_path / "two").write_text(f"{CANARY}\n{CANARY}\n", encoding="utf-8")
    (tmp_path / "bytes").write_bytes(CANARY.encode() + b"\xff")
    path = write(SMALL + f'password = "{reference}"\n')
    login = read_world(path, {"EMPTY": "", "HOME": str(tmp_path / "home")}).index.login
    assert login == Login(username="__token__", secret=Secret(""), origin=origin.replace("DIR", str(tmp_path)))


@pytest.mark.parametrize("platforms", list(WheelPlatforms))
def test_the_file_of_the_local_world_is_valid(tmp_path: Path, platforms: WheelPlatforms) -> None:
    """The file that ``unmoor world up`` writes follows the same rules as any other."""
    addresses = Addresses(
        pypi="http://127.0.0.1:1",
        testpypi="http://127.0.0.1:2",
        forge="http://[::1]:3",
        storage="",
        issuer="http://127.0.0.1:4",
        sigstore="http://127.0.0.1:5",
    )
    made = credentials(tmp_path)
    file = worldfile.write(
        tmp_path,
        addresses=addresses,
        credentials=made,
        repository="owner/name",
        platforms=platforms,
    )
    world = read_world(file, {})
    assert world.wheel_platforms(staged=True) is platforms
    assert world.staging is not None
    assert world.rehearsal
    assert world.signing is not None
    (tmp_path / "copy").mkdir()
    copy = file.rename(tmp_path / "copy" / "world.toml")
    assert read_world(copy, {}).signing == replace(world.signing, token=replace(world.signing.token, origin=str(copy)))
    assert world.signing.trust == str(tmp_path / worldfile.TRUST)
    logins = (world.index.login, world.staging.login, world.forge.login, world.signing.token)
    assert tuple(login.secret.reveal() for login in logins) == (made.pypi, made.testpypi, made.forge, made.runner)


def test_the_addresses_of_the_real_world(tmp_path: Path) -> None:
    """Upload addresses are twine's constants. The other addresses are on the same hosts, without ``upload.``."""
    assert upload_addresses() == (twine.utils.DEFAULT_REPOSITORY, twine.utils.TEST_REPOSITORY)
    world = real_world("owner/name", {"HOME": str(tmp_path)})
    assert world.staging is not None
    for place, upload in ((world.index, twine.utils.DEFAULT_REPOSITORY), (world.staging, twine.utils.TEST_REPOSITORY)):
        host = (urlsplit(upload).hostname or "").removeprefix("upload.")
        assert place.upload == upload
        assert (place.simple, place.json) == (f"https://{host}/simple/", f"https://{host}/pypi/")
        assert place.page == f"https://{host}/project/{{project}}/{{version}}/"
    assert (world.name, world.rehearsal, world.index.name, world.staging.name) == ("real", False, "pypi", "testpypi")


@pytest.mark.parametrize("source", ["DEFAULT_REPOSITORY = TEST_REPOSITORY = name()", "def broken(", None])
def test_a_twine_with_a_different_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None) -> None:
    """If the constants are not in twine's source, they are imported."""
    if source is not None:
        (tmp_path / "utils.py").write_text(source, encoding="utf-8")
    elsewhere = ModuleSpec("twine", None, is_package=True)
    elsewhere.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: elsewhere)
    assert upload_addresses() == (twine.utils.DEFAULT_REPOSITORY, twine.utils.TEST_REPOSITORY)


@pytest.mark.parametrize(
    ("environ", "roots"),
    [
        ({}, ("https://api.github.com", "https://uploads.github.com", "https://github.com")),
        (
            {"GITHUB_API_URL": "https://git.example.org/api/v3", "GITHUB_SERVER_URL": "https://git.example.org"},
            ("https://git.example.org/api/v3", "https://git.example.org/api/uploads", "https://git.example.org"),
        ),
        (
            {"GITHUB_API_URL": "https://api.team.example.org"},
            ("https://api.team.example.org", "https://uploads.team.example.org", "https://team.example.org"),
        ),
    ],
)
def test_the_forge_of_the_real_world(tmp_path: Path, environ: dict[str, str], roots: tuple[str, str, str]) -> None:
    """The variables of a GitHub Actions run determine its server."""
    forge = real_world("owner/name", {"HOME": str(tmp_path), **environ}).forge
    assert (forge.api, forge.uploads, forge.site) == roots


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("http://example.org/api/v3", "http is for loopback addresses only; use https for example.org"),
        ("https://example.org/x", "cannot derive the address for asset uploads from this API"),
    ],
)
def test_an_invalid_forge_address(value: str, message: str) -> None:
    """An address in the environment is checked like any other, before a token goes there."""
    with pytest.raises(ConfigError) as raised:
        real_world("owner/name", {"GITHUB_API_URL": value, "GITHUB_ACTIONS": "true"})
    assert str(raised.value) == f"the environment variable GITHUB_API_URL: {message}"


@pytest.mark.parametrize(
    ("index", "staging", "staged", "expected"),
    [
        ("any", "any", True, "any"),
        ("any", "public", True, "public"),
        ("any", "public", False, "any"),
        ("", "any", True, "public"),
        ("lenient", "any", True, "lenient"),
        ("lenient", "public", True, "public"),
        ("lenient", "", False, "lenient"),
    ],
)
def test_platforms(write: WriteWorld, index: str, staging: str, *, staged: bool, expected: str) -> None:
    """A platform must be accepted by every index that is uploaded to. By default, an index accepts PyPI's."""
    text = LOCAL
    for table, accepted in (("index", index), ("staging", staging)):
        text = text.replace(f"[{table}]\n", f"[{table}]\n" + (f'platforms = "{accepted}"\n' if accepted else ""))
    path = write(text)
    (path.parent / "secrets").mkdir()
    (path.parent / "secrets" / "token").write_text(f"{CANARY}\n", encoding="utf-8")
    assert read_world(path, {"STAGING": CANARY}).wheel_platforms(staged=staged) == expected
