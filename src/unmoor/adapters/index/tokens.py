"""What a stored login says of itself, before anything is sent: for which index it is, which projects, until when."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from packaging.utils import canonicalize_name

from unmoor.adapters.http.urls import origin
from unmoor.adapters.index.macaroon import PREFIX, Restrictions, restrictions
from unmoor.config.real_world import public_host, upload_addresses
from unmoor.errors import Denied
from unmoor.ports.world import IndexPlace
from unmoor.util.text import clean

_USERNAME = "__token__"


def judge(place: IndexPlace, project: str, now: float | None = None) -> str:
    """Say what the login tells. Raises `Denied` where the index would refuse it for this project, without asking it.

    ``now`` is a Unix time. A private index may have passwords or tokens of any kind: there, only what is
    surely wrong is refused, such as a token of a public index, which must not get there at all.
    """
    secret, public = place.login.secret.reveal(), _is_public(place)
    if secret != secret.strip():
        raise _denied(place, "it begins or ends with white space", "store it again, without a line break at its end")
    found = restrictions(secret)
    if public and place.login.username != _USERNAME:
        raise _denied(
            place,
            f"the user name is {clean(place.login.username, 40)!r}, and {place.name} takes API tokens alone",
            f"set the user name to {_USERNAME} and the password to an API token",
        )
    if found is None:
        if not public:
            return ""
        how = "it is cut off or altered" if secret.startswith(PREFIX) else f"it does not begin with {PREFIX}"
        raise _denied(place, f"it is no API token: {how}", f"make an API token on {place.name} and store it whole")
    _right_index(place, found, public=public)
    return _right_project(place, found, project, time.time() if now is None else now)


def _is_public(place: IndexPlace) -> bool:
    return origin(place.upload) in {origin(address) for address in upload_addresses()}


def _right_index(place: IndexPlace, found: Restrictions, *, public: bool) -> None:
    """A public index's tokens are for that one alone, and for no private one."""
    here = public_host(place.upload)
    others = {public_host(address) for address in upload_addresses()} - {here}
    if found.location in others or (public and found.location and found.location != here):
        raise _denied(
            place,
            f"it is a token of {clean(found.location, 80)}, and {place.name} is {here}",
            f"make a token on {place.name}, and store it under this index's own name: no index takes another's",
        )


def _right_project(place: IndexPlace, found: Restrictions, project: str, now: float) -> str:
    name = canonicalize_name(project)
    told = [f"a token of {clean(found.location, 80)}" if found.location else "an API token"]
    if found.projects is not None:
        allowed = sorted(canonicalize_name(each) for each in found.projects)
        listed = clean(", ".join(allowed), 200) or "no project"
        if name not in allowed:
            raise _denied(
                place,
                f"it is for {listed}, and {project} is to be released",
                f"make a token for {project} on {place.name}; for a project that is not there yet, one for the whole"
                " account, or a pending trusted publisher",
            )
        told.append(f"for {listed}")
    elif found.by_id:
        told.append("for projects that only the index can name")
    else:
        told.append("for every project of its owner")
    if found.expires is not None:
        if now >= found.expires:
            raise _denied(place, f"it ended at {_date(found.expires)}", f"make a new token on {place.name}")
        told.append(f"until {_date(found.expires)}")
    if found.begins is not None and now < found.begins:
        raise _denied(place, f"it begins at {_date(found.begins)}", "see that this machine's clock is right")
    return ", ".join(told)


def _date(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s after 1970"


def _denied(place: IndexPlace, why: str, next_step: str) -> Denied:
    return Denied(
        f"the credential for {place.name}, from {place.login.origin}, cannot be right: {why}",
        where=place.name,
        next_step=next_step,
    )
