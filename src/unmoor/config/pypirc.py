"""Read passwords from ``~/.pypirc`` as twine does, but never one for another index.

Format: the ``.pypirc`` specification of the Python packaging guide. Ignores the obsolete section ``[server-login]``,
whose password would go to every index.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.filesystem.layout import home_of
from unmoor.util.decode import read_ini
from unmoor.util.secret import Secret

_LIMIT = 1_000_000


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are equal, ignoring the scheme and a trailing slash."""
    return one.strip().partition("://")[2].rstrip("/") == other.partition("://")[2].rstrip("/")


def password(name: str, upload: str, environ: Mapping[str, str]) -> tuple[Secret, str]:
    """Find the password of an index, by the name of its section or else by its upload address.

    Returns the password and where it is from, or an empty one and where it was looked for. Raises `ConfigError` for a
    file that cannot be parsed, without quoting a line of it.
    """
    home = home_of(environ)
    if home is None:
        return Secret(""), "~/.pypirc (there is no HOME)"
    path = home / ".pypirc"
    sections = _sections(path)
    own = sections.get(name, {})
    if own.get("password") and same_address(own.get("repository") or upload, upload):
        return Secret(own["password"]), f"[{name}] in {path}"
    others = [
        section
        for section, values in sections.items()
        if values.get("password") and same_address(values.get("repository", ""), upload)
    ]
    if len(others) == 1:
        return Secret(sections[others[0]]["password"]), f"[{others[0]}] in {path}"
    several = f" (several sections are for this index: set UNMOOR_{name.upper()}_PASSWORD)" if others else ""
    return Secret(""), f"{path}{several}"


def _sections(path: Path) -> dict[str, dict[str, str]]:
    """Every section of the file. Hides the parser's own errors, which quote lines."""
    parser = configparser.RawConfigParser()
    line, reason = 0, ""
    try:
        with path.open("rb") as stream:
            read_ini(parser, stream.read(_LIMIT).decode())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        reason = f"cannot read this file: {error.strerror}"
    except UnicodeDecodeError:
        reason = "this file is not UTF-8"
    except configparser.Error as error:
        bad = getattr(error, "errors", None)
        line = bad[0][0] if bad else getattr(error, "lineno", None) or 0
        reason = "this is not INI, or a section or an option appears twice"
    if reason:
        where = f"{path}, line {line}" if line else str(path)
        raise ConfigError(reason, where=where, next_step=advice.CORRECT_PYPIRC(path=path))
    return {section: dict(parser.items(section)) for section in parser.sections()}
