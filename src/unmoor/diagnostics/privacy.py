"""What a report that people paste must not hold: secrets, and the names of the user and of the home folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from unmoor.filesystem.layout import home_of
from unmoor.util.secret import Secret, masker
from unmoor.util.secret_scan import is_secret_name

_USERS = ("USER", "LOGNAME", "USERNAME")
# Names of accounts that are the same on many machines, and words of the report itself.
_COMMON = frozenset({"root", "runner", "user", "admin", "ubuntu", "git", "unmoor", "python", "docker", "__token__"})
_SHORTEST = 3
_SHORTEST_SECRET = 6
# What stands between "://" and the last "@" before the path.
_LOGIN = re.compile(r"(?<=://)[^/?#\s]{1,1000}@")


def redaction(
    environ: Mapping[str, str],
    *,
    secrets: Iterable[Secret] = (),
    users: Iterable[str] | None = (),
    repository: str = "",
) -> Callable[[str], str]:
    """Return a function that writes ``~`` for the user's home, ``USER`` for user names and ``***`` for secrets.

    Secrets are those given, and the values of variables whose names say so. User names are those given, and the one of
    this account in the environment; a name that many machines have stays, and every name if ``users`` is ``None``.
    Logins in addresses are removed, and ``OWNER/NAME`` stands for the ``repository``.
    """
    found = [
        Secret(value) for name, value in environ.items() if is_secret_name(name) and len(value) >= _SHORTEST_SECRET
    ]
    mask = masker([*secrets, *found])
    home = home_of(environ)
    homes = _homes(home) if home is not None else ()
    accounts = (*(environ.get(variable, "") for variable in _USERS), home.name if home is not None else "")
    names = {*users, *accounts} if users is not None else set()
    own = sorted(
        (each for each in names if len(each) >= _SHORTEST and each.lower() not in _COMMON), key=len, reverse=True
    )
    # A part of a longer word stays.
    user = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, own))})(?![\w-])") if own else None

    def redact(text: str) -> str:
        text = _LOGIN.sub("", mask(text))
        text = text.replace(repository, "OWNER/NAME") if repository else text
        for each in homes:
            text = each.sub("~", text)
        return user.sub("USER", text) if user is not None else text

    return redact


def _homes(home: Path) -> tuple[re.Pattern[str], ...]:
    """The forms in which the path of a home appears, none for a home that is the root of a disk."""
    if home == home.parent:
        return ()
    forms = {str(home), home.as_posix()}
    return tuple(re.compile(rf"(?<![\w.~-]){re.escape(each)}(?![\w.-])") for each in sorted(forms))
