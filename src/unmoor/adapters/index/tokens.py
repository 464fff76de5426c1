"""Check a stored login before anything is sent: whether its token is valid for this index and project, and now."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.adapters.http.urls import origin
from unmoor.adapters.index.macaroon import PREFIX, Restrictions, restrictions
from unmoor.advice import NextStep
from unmoor.config.real_world import public_host, upload_addresses
from unmoor.errors import Denied
from unmoor.ports.world import IndexPlace
from unmoor.util.text import clean

_USERNAME = "__token__"


def check_login(place: IndexPlace, project: str, now: float | None = None) -> str:
    """Describe the login. Raises `Denied` if the index would refuse it for this project. Sends nothing.

    ``now`` is a Unix time. A private index may take passwords or tokens of any kind, so only certain mistakes are
    refused there, such as a token of a public index, which must never reach another server.
    """
    secret, public = place.login.secret.reveal(), _is_public(place)
    if secret != secret.strip():
        raise _denied(place, "it begins or ends with white space", advice.STORE_AGAIN())
    found = restrictions(secret)
    if public and place.login.username != _USERNAME:
        raise _denied(
            place,
            f"the user name is {clean(place.login.username, 40)!r}, and {place.name} accepts only API tokens",
            advice.SET_TOKEN_USERNAME(username=_USERNAME),
        )
    if found is None:
        if not public:
            return ""
        how = "it is cut off or altered" if secret.startswith(PREFIX) else f"it does not begin with {PREFIX}"
        raise _denied(place, f"it is not an API token: {how}", advice.MAKE_API_TOKEN(index=place.name))
    _check_index(place, found, public=public)
    return _check_project(place, found, project, time.time() if now is None else now)


def _is_public(place: IndexPlace) -> bool:
    return origin(place.upload) in {origin(address) for address in upload_addresses()}


def _check_index(place: IndexPlace, found: Restrictions, *, public: bool) -> None:
    """Raise `Denied` for a token of another index. Tokens of a public index are valid only there."""
    here = public_host(place.upload)
    others = {public_host(address) for address in upload_addresses()} - {here}
    if found.location in others or (public and found.location and found.location != here):
        raise _denied(
            place,
            f"it is a token of {clean(found.location, 80)}, and {place.name} is {here}",
            advice.MAKE_TOKEN_OF_INDEX(index=place.name),
        )


def _check_project(place: IndexPlace, found: Restrictions, project: str, now: float) -> str:
    name = canonicalize_name(project)
    kind = "trusted publishing" if found.minted else clean(found.location, 80)
    described = [f"a token of {kind}" if kind else "an API token"]
    if found.projects is not None:
        allowed = sorted(canonicalize_name(each) for each in found.projects)
        listed = clean(", ".join(allowed), 200) or "no project"
        if name not in allowed:
            raise _denied(
                place,
                f"it is for {listed}, and this is a release of {project}",
                advice.MAKE_TOKEN_OF_PROJECT(project=project, index=place.name),
            )
        described.append(f"for {listed}")
    elif found.by_id:
        described.append("for projects that only the index can name")
    elif not found.minted:
        described.append("for every project of its owner")
    if found.expires is not None:
        if now >= found.expires:
            raise _denied(place, f"it expired at {_date(found.expires)}", advice.MAKE_TOKEN(index=place.name))
        described.append(f"until {_date(found.expires)}")
    if found.begins is not None and now < found.begins:
        raise _denied(place, f"it is not valid before {_date(found.begins)}", advice.CHECK_CLOCK())
    return ", ".join(described)


def _date(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s after 1970"


def _denied(place: IndexPlace, why: str, next_step: NextStep) -> Denied:
    return Denied(
        f"the credential for {place.name}, from {place.login.origin}, is not valid: {why}",
        where=place.name,
        next_step=next_step,
    )
