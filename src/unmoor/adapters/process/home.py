"""The HOME of the project's code: a new folder with a few of the user's settings, and none of the logins.

What it holds, and what works without the rest, is listed in docs/concepts/trust.md. The list there is this module's.
"""

from __future__ import annotations

import contextlib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from unmoor.adapters.process.variables import no_logins, project_variables
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


def make_home(folder: Path, environ: Mapping[str, str], *, git: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make a HOME in a new folder, and return the whole environment of the project's code.

    ``environ`` is the user's environment. Settings are copied without logins; a file that cannot be read is left out.
    ``git`` holds settings of git, such as ``user.name``: tests may make commits.
    """
    folder.mkdir(mode=0o700)
    if git:
        _write(folder / ".gitconfig", "".join(f"{_of_git(name, value)}\n" for name, value in git.items()))
    variables = project_variables(environ) | {"HOME": str(folder)}
    user = _home(environ)
    if user is not None:
        for name, place in _ELSEWHERE.items():
            if (user / place).is_dir():
                variables.setdefault(name, str(user / place))
    variables |= _settings_of_pip(folder, user, environ)
    variables |= _settings_of_uv(folder, environ)
    variables |= _cargo(folder, user, environ)
    if user is not None and (text := _read(user / ".npmrc")) is not None:
        lines = (line for line in text.splitlines() if not _LOGIN_OF_NPM.search(line))
        _write(folder / ".npmrc", no_logins("".join(f"{line}\n" for line in lines)))
    return variables


def configuration_folder(environ: Mapping[str, str]) -> Path | None:
    """The user's folder of settings, by the XDG Base Directory Specification."""
    if environ.get("XDG_CONFIG_HOME"):
        return Path(environ["XDG_CONFIG_HOME"])
    user = _home(environ)
    return user / ".config" if user is not None else None


def _home(environ: Mapping[str, str]) -> Path | None:
    return Path(environ["HOME"]) if environ.get("HOME") else None


def _settings_of_pip(folder: Path, user: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Copy pip's settings of the user, and those that ``PIP_CONFIG_FILE`` names."""
    own = configuration_folder(environ)
    if user is not None:
        _copy(user / ".pip" / "pip.conf", folder / ".pip" / "pip.conf")
    if own is not None:
        _copy(own / "pip" / "pip.conf", folder / ".config" / "pip" / "pip.conf")
    named = environ.get("PIP_CONFIG_FILE")
    if not named or named == os.devnull:
        return {"PIP_CONFIG_FILE": named} if named else {}
    copy = folder / ".config" / "pip" / "named.conf"
    return {"PIP_CONFIG_FILE": str(copy)} if _copy(Path(named), copy) else {}


def _settings_of_uv(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Copy uv's settings of the user, or those that ``UV_CONFIG_FILE`` names instead."""
    own = configuration_folder(environ)
    copy = folder / ".config" / "uv" / "uv.toml"
    if named := environ.get("UV_CONFIG_FILE"):
        return {"UV_CONFIG_FILE": str(copy)} if _copy(Path(named), copy) else {}
    if own is not None:
        _copy(own / "uv" / "uv.toml", copy)
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
            (made / name).symlink_to(Path(given, name).absolute())
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
            return stream.read(_LARGEST).decode()
    except (OSError, UnicodeDecodeError):
        return None


def _write(copy: Path, text: str) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text, encoding="utf-8")
