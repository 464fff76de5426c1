"""Every advice about this machine, its programs, disk and memory, and about other runs on it, leads on."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uv
from tests.adapters.test_uv_failures import Index, status
from tests.advice.test_suites import setting
from tests.dists.checks.packing import Wheel
from tests.support.advice_walks import Place, Walk, keep, walk
from tests.support.faulty_server import run_server
from tests.support.shells import shell_for_tests

from unmoor import advice
from unmoor.adapters import uv as uv_adapter
from unmoor.adapters.git.untagged import file_inside
from unmoor.adapters.process.servers import Server
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv, UvEnvironment
from unmoor.cli.exit_codes import _internal_error
from unmoor.cli.run_advice import advise
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.core.scheduler import deadline_passed
from unmoor.core.stage import Reach
from unmoor.errors import BuildFailed, Cause, from_os_error
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import was_removed
from unmoor.filesystem.system import here
from unmoor.filesystem.temporary import why_unfit
from unmoor.ports.failure import failure
from unmoor.rehearsal import listening, local, serve
from unmoor.util.values import replace

METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def _tool(line: str) -> Callable[..., None]:
    """Write a program that begins with this line."""

    def begin(place: Place, *_: str) -> None:
        (place.folder / "tool").write_text(f"{line}\n")
        (place.folder / "tool").chmod(0o755)

    return begin


def _run(place: Place) -> object:
    """Run a program, for as long as the walk allows."""
    args = place.kept.get("args") or (str(place.folder / "tool"),)
    return place.shell.run(args, cwd=place.folder, env={"PATH": os.defpath}, timeout=place.kept.get("timeout", 20.0))


def _write(place: Place) -> object:
    """Write a file, which fails as the disk of the walk does."""
    try:
        if place.kept["error"]:
            raise place.kept["error"]
        with Path(place.kept.get("path", os.devnull)).open("w") as stream:
            stream.write("x")
    except OSError as error:
        raise from_os_error(error) or error from error
    return None


def environment(place: Place, **environ: str) -> UvEnvironment:
    """An environment for the walk, by uv without a network."""
    if "environment" not in place.kept:
        given = {**os.environ, "UV_OFFLINE": "1", **environ}
        place.kept["environment"] = Uv(shell=place.shell, environ=given).fresh(place.folder / "environment")
    made = place.kept["environment"]
    assert isinstance(made, UvEnvironment)
    return made


def _metadata(requires: str) -> Callable[..., None]:
    """Install a package with these requirements, without them."""

    def begin(place: Place, *_: str) -> None:
        folder = environment(place).packages / "demo-1.0.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text(f"{METADATA}{requires}")
        (folder / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")

    return begin


def _fresh_at_home(place: Place) -> object:
    """Make an environment with a HOME that may not exist."""
    (place.folder / "file").touch()
    home = str(place.folder / place.kept["home"])
    return Uv(shell=place.shell, environ={"PATH": os.defpath, "HOME": home}).fresh(place.folder / "new")


def _check(place: Place) -> object:
    environment(place).check()
    return None


def _install(place: Place) -> object:
    environment(place).install(place.kept["wanted"])
    return None


def _pip(place: Place) -> object:
    name, data = place.kept["wheel"].file()
    (place.folder / name).write_bytes(data)
    return environment(place).install_with_pip(place.folder / name, "a")


def _from_index(place: Place) -> object:
    """Install from an index that wants a login, until there is one or it is public."""
    faults = [] if place.kept["public"] else [status(403)]
    with run_server(Index(faults, [])) as server:
        given = {**os.environ, "UV_HTTP_RETRIES": "0", "UV_NO_CACHE": "1"}
        index = replace(Uv(shell=place.shell, environ=given), dependencies=f"{server.url}/simple/")
        index.fresh(place.folder / f"env-{len(list(place.folder.iterdir()))}").install(["anvil-one"])
    return None


def _fresh(place: Place) -> object:
    number = len(list(place.folder.iterdir()))
    given = {**os.environ, "UV_OFFLINE": "1", "UV_PYTHON_DOWNLOADS": "never"}
    return Uv(shell=place.shell, environ=given).fresh(place.folder / str(number), python=place.kept["python"])


def patched(target: Any, name: str, value: Any, act: Callable[[Place], object]) -> Callable[[Place], object]:
    """Act while the machine lacks something that no test can take away, until the advice was followed."""

    def patch_and_act(place: Place) -> object:
        with pytest.MonkeyPatch.context() as patch:
            if not place.kept.get("followed"):
                patch.setattr(target, name, value)
            return act(place)

    return patch_and_act


def _raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def _in_use() -> OSError:
    """Windows refuses a file that an editor has open."""
    error = PermissionError(errno.EACCES, "The process cannot access the file", "C:\\file")
    error.winerror = 32  # type: ignore[attr-defined,unused-ignore]
    return error


def _build_in_tmpdir(place: Place) -> object:
    """Build, which fails where no program runs."""
    if why_unfit():
        options = RunOptions(target=TargetOptions(folder=place.folder), ceiling=Reach.LOCAL)
        raise advise(BuildFailed("it fails", next_step=advice.CORRECT_CODE()), options=options)
    return None


def _lock_folder(place: Place) -> object:
    with exclusive_lock(place.folder):
        return None


def _write_secret(place: Place) -> object:
    write_atomic(place.folder / "secret", b"x", mode=0o600)
    return None


def _bug(place: Place) -> object:
    del place
    raise _internal_error(ValueError("odd"))


def _listen(place: Place) -> object:
    for made in listening.listen(place.folder, ["pypi"]).sockets.values():
        made.close()
    return None


def _fail(place: Place) -> object:
    if place.kept["cause"] is not None:
        raise failure(place.kept["cause"], "it failed")
    return None


followed = keep(followed=True)
MACHINE: dict[str, Walk] = {
    "check-program": Walk(begin=_tool("#!/nowhere/sh"), act=_run, follow=_tool("#!/bin/sh")),
    "allow-more-time": Walk(begin=keep(args=("sleep", "0.5"), timeout=0.1), act=_run, follow=keep(timeout=20.0)),
    "free-space": Walk(begin=keep(path="/dev/full", error=None), act=_write, follow=keep(path=os.devnull)),
    "grant-permission": Walk(
        begin=keep(error=PermissionError(errno.EACCES, "Permission denied")), act=_write, follow=keep(error=None)
    ),
    "use-other-tmpdir+correct-code": Walk(
        begin=keep(),
        act=patched(here(), "why_no_environments", lambda _: "programs cannot run", _build_in_tmpdir),
        follow=followed,
    ),
    "use-writable-disk": Walk(
        begin=keep(error=OSError(errno.EROFS, "Read-only file system", "/there")), act=_write, follow=keep(error=None)
    ),
    "close-program": Walk(begin=keep(error=_in_use()), act=_write, follow=keep(error=None)),
    "check-disk": Walk(begin=keep(error=OSError(errno.ESTALE, "Stale", "/share")), act=_write, follow=keep(error=None)),
    "use-local-disk": Walk(
        begin=keep(),
        act=patched(here(), "lock", _raising(OSError(errno.ENOLCK, "No locks available")), _lock_folder),
        follow=followed,
    ),
    "keep-private": Walk(
        begin=keep(),
        act=patched(here(), "access_of_others", lambda _: "mode 0777", _write_secret),
        follow=followed,
    ),
    "free-memory+use-more-memory": Walk(begin=keep(cause=Cause.KILLED), act=_fail, follow=keep(cause=None)),
    "give-credential": Walk(begin=keep(cause=Cause.DENIED), act=_fail, follow=keep(cause=None)),
    "name-uv-cache": Walk(begin=keep(home="file/home"), act=_fresh_at_home, follow=keep(home="home")),
    "check-uv": Walk(begin=keep(python="3.99"), act=_fresh, follow=keep(python="")),
    "correct-dependencies": Walk(begin=_metadata("Requires-Dist: absent-one\n"), act=_check, follow=_metadata("")),
    "fix-what-uv-reports": Walk(begin=keep(wanted=["absent-one"]), act=_install, follow=keep(wanted=[])),
    "fix-what-pip-reports": Walk(
        begin=keep(wheel=Wheel(name="a", files={"a-1.0.data/x": b""})), act=_pip, follow=keep(wheel=Wheel(name="a"))
    ),
    "give-uv-a-login": Walk(begin=keep(public=False), act=_from_index, follow=keep(public=True)),
    "install-unmoor-again": Walk(
        begin=keep(),
        act=patched(uv, "find_uv_bin", _raising(FileNotFoundError()), lambda _: uv_adapter.binary()),
        follow=followed,
    ),
    "close-connections": Walk(
        begin=keep(),
        act=patched(listening, "_open", lambda _: None, _listen),
        follow=followed,
    ),
    "free-space-for-traceback": Walk(
        begin=keep(),
        act=patched(tempfile, "mkstemp", _raising(OSError(errno.ENOSPC, "No space left on device")), _bug),
        follow=followed,
        then="report-bug",
    ),
}


def _lock(place: Place) -> object:
    with serve.locked(place.folder / "world"):
        return None


def _held(place: Place) -> None:
    place.kept["lock"] = serve.locked(place.folder / "world")
    place.kept["lock"].__enter__()


def _stop(place: Place, text: str) -> None:
    assert text.startswith("stop it")
    place.kept["lock"].__exit__(None, None, None)


def _ready(place: Place) -> object:
    """Read the first line of the servers."""
    (place.folder / "serve.log").touch()
    with (place.folder / "serve.log").open("ab") as log:
        process = Server(place.kept["servers"], cwd=place.folder, env=os.environ, log=log)
    try:
        return local._read_ready_line(process, place.folder)
    finally:
        process.stop(1.0)


def _see(place: Place, text: str) -> None:
    assert Path(text.removeprefix("see ")).is_file()
    place.kept["servers"] = ["echo", "{}"]


def _use(place: Place) -> object:
    """Use a file of a run."""
    try:
        return (place.folder / ".unmoor" / "v1.0" / "manifest.json").read_bytes()
    except OSError as error:
        raise was_removed(error) or error from error


def _again(place: Place, _: str) -> None:
    """Run again, without what removed the folder."""
    folder = place.folder / ".unmoor" / "v1.0"
    folder.mkdir(parents=True)
    (folder / "manifest.json").touch()


def _linked(place: Place) -> None:
    (place.folder / "top").mkdir()
    (place.folder / "outside").touch()
    (place.folder / "top" / "version").symlink_to(place.folder / "outside")


def _replace_link(place: Place, _: str) -> None:
    (place.folder / "top" / "version").unlink()
    (place.folder / "top" / "version").touch()


def _time(place: Place) -> object:
    if place.kept["deadline"] < 60:
        raise deadline_passed(place.kept["deadline"], ["dists"])
    return None


def _longer(place: Place, text: str) -> None:
    place.kept["deadline"] = setting(text.replace("SECONDS", "600"))["deadline"]


RUNS: dict[str, Walk] = {
    "stop-other-world": Walk(begin=_held, act=_lock, follow=_stop),
    "see-log": Walk(begin=keep(servers=["true"]), act=_ready, follow=_see),
    "find-who-removed": Walk(begin=keep(), act=_use, follow=_again),
    "replace-version-link": Walk(
        begin=_linked,
        act=lambda place: file_inside(place.folder / "top" / "version", place.folder / "top", "version"),  # type: ignore[arg-type]
        follow=_replace_link,
    ),
    "raise-deadline": Walk(begin=keep(deadline=30.0), act=_time, follow=_longer),
}


WALKS = MACHINE | RUNS


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """With what the advice names installed, freed, corrected or named, the same command works."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
