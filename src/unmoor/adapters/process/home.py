"""The HOME of the project's code: a new folder with a few of the user's settings, and none of the logins.

What it holds, and what works without the rest, is listed in docs/concepts/trust.md. The list there is this module's.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from unmoor.adapters.process.places import UserPlaces, home_variables, user_places
from unmoor.adapters.process.variables import no_logins, project_variables
from unmoor.ports.system import System
from unmoor.util.secret_scan import is_secret_name

# Folders of programs and caches, which programs look for below HOME if a variable does not name them.
_ELSEWHERE: Final = {
    "RUSTUP_HOME": ".rustup",
    "PYENV_ROOT": ".pyenv",
    "ASDF_DATA_DIR": ".asdf",
    "VOLTA_HOME": ".volta",
    "NVM_DIR": ".nvm",
    "GOPATH": "go",
}
_OF_CARGO: Final = ("bin", "registry", "git")
_LOGINS_OF_CARGO: Final = (
    "token",
    "secret-key",
    "credential-provider",
    "global-credential-providers",
    "credential-alias",
)
_LOGIN_OF_NPM: Final = re.compile(
    r"_auth|_password|token|username|email|certfile|keyfile|^\s*(cert|key)\b", re.IGNORECASE
)
_LARGEST: Final = 1_000_000


def make_home(
    folder: Path,
    environ: Mapping[str, str],
    *,
    git: Mapping[str, str] | None = None,
    system: System | None = None,
) -> dict[str, str]:
    """Make a HOME in a new folder, and return the whole environment of the project's code.

    ``environ`` is the user's environment. Settings are copied without logins; a file that cannot be read is left out.
    ``git`` holds settings of git, such as ``user.name``: tests may make commits. ``system`` is this one by default.
    """
    folder.mkdir(mode=0o700)
    if git:
        _write(folder / ".gitconfig", "".join(f"{_of_git(name, value)}\n" for name, value in git.items()))
    variables = project_variables(environ, system) | _made_home(folder, system)
    places = user_places(environ, system)
    user = places.home
    if user is not None:
        for name, place in _ELSEWHERE.items():
            if (user / place).is_dir():
                variables.setdefault(name, str(user / place))
    variables |= _settings_of_pip(folder, places, environ)
    variables |= _settings_of_uv(folder, places, environ)
    variables |= _cargo(folder, user, environ)
    if user is not None and (text := _read(user / ".npmrc")) is not None:
        lines = (line for line in text.splitlines() if not _LOGIN_OF_NPM.search(line))
        _write(folder / ".npmrc", no_logins("".join(f"{line}\n" for line in lines)))
    return variables


def copy_home(variables: Mapping[str, str], into: Path, *, system: System | None = None) -> dict[str, str]:
    """Copy a HOME into a new folder, and return its variables, to be put in the place of the former ones."""
    shutil.copytree(variables["HOME"], into, symlinks=True)
    return _made_home(into, system)


def _made_home(folder: Path, system: System | None) -> dict[str, str]:
    """Return the variables of a HOME. The folders that they name exist: programs expect it of some."""
    variables = home_variables(folder, system)
    for name in ("APPDATA", "LOCALAPPDATA"):
        if name in variables:
            Path(variables[name]).mkdir(parents=True, exist_ok=True)
    return variables


def _settings_of_pip(folder: Path, places: UserPlaces, environ: Mapping[str, str]) -> dict[str, str]:
    """Copy pip's settings of the user, and those that ``PIP_CONFIG_FILE`` names."""
    for file, place in places.pip:
        _copy(file, folder / place)
    named = environ.get("PIP_CONFIG_FILE")
    if not named or named == os.devnull:
        return {"PIP_CONFIG_FILE": named} if named else {}
    copy = folder / ".config" / "pip" / "named.conf"
    return {"PIP_CONFIG_FILE": str(copy)} if _copy(Path(named), copy) else {}


def _settings_of_uv(folder: Path, places: UserPlaces, environ: Mapping[str, str]) -> dict[str, str]:
    """Copy uv's settings of the user, or those that ``UV_CONFIG_FILE`` names instead."""
    copy = folder / places.uv_in_home
    if named := environ.get("UV_CONFIG_FILE"):
        return {"UV_CONFIG_FILE": str(copy)} if _copy(Path(named), copy) else {}
    if places.uv is not None:
        _copy(places.uv, copy)
    return {}


def _cargo(folder: Path, user: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Make a CARGO_HOME with links to the user's programs and downloads, and a copy of the settings."""
    given = environ.get("CARGO_HOME") or (user / ".cargo" if user is not None else None)
    if given is None or not Path(given).is_dir():
        return {}
    made = folder / ".cargo"
    made.mkdir()
    for name in _OF_CARGO:
        if (Path(given) / name).exists():
            # Windows lets few users make links. Cargo downloads again what it does not find.
            with contextlib.suppress(OSError):
                (made / name).symlink_to(Path(given, name).absolute(), target_is_directory=True)
    for name in ("config.toml", "config"):  # the second is the old name
        text = _read(Path(given) / name)
        with contextlib.suppress(tomllib.TOMLDecodeError, RecursionError):
            if text is not None:
                _write(made / name, _without_secrets(tomllib.loads(text)))
    return {"CARGO_HOME": str(made)}


def _without_secrets(settings: dict[str, Any]) -> str:
    """Write cargo's settings without tokens, and without programs that print them."""
    import tomli_w

    def public(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in table.items():
            if name not in _LOGINS_OF_CARGO and not is_secret_name(name):
                yield name, dict(public(value)) if isinstance(value, dict) else value

    return no_logins(tomli_w.dumps(dict(public(settings))))


def _of_git(name: str, value: str) -> str:
    """Write one setting of git, with the quoting of git-config(1)."""
    section, _, key = name.partition(".")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'[{section}]\n\t{key} = "{quoted}"'


def _copy(source: Path, copy: Path) -> bool:
    """Copy a file of settings without the logins in its addresses. Returns whether there is one."""
    text = _read(source)
    if text is not None:
        _write(copy, no_logins(text))
    return text is not None


def _read(source: Path) -> str | None:
    """Read a file of settings; ``None`` if it cannot be read."""
    try:
        with source.open("rb") as stream:
            return stream.read(_LARGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _write(copy: Path, text: str) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text, encoding="utf-8", newline="\n")
