"""The CI that this job runs in, and its ID tokens.

The library ``id`` fetches the tokens. It supports GitHub Actions, GitLab, CircleCI, Buildkite and Google Cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from unmoor import advice
from unmoor.advice import NOTHING, NextStep
from unmoor.errors import Denied, Unknown
from unmoor.util.concurrency import NoAnswer, call_within
from unmoor.util.secret import Secret, masker
from unmoor.util.text import clean

PERMISSION = advice.GRANT_ID_TOKENS()
_ID_TOKENS = advice.GIVE_ID_TOKENS()
_PATIENCE = 45.0
_REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable


class Ambient(msgspec.Struct, frozen=True, kw_only=True):
    """The CI of this job. ``lacking`` says why it gives no ID tokens, and ``remedy`` what to do about it.

    ``renews`` says that every request gets a new token. GitLab gives only one per job, and an index accepts each only
    once.
    """

    name: str
    renews: bool = True
    lacking: str = ""
    remedy: NextStep = NOTHING


def ambient(environ: Mapping[str, str]) -> Ambient | None:
    """Detect the CI by its variables, ``None`` if there is none that gives ID tokens. Sends nothing."""
    if environ.get("GITHUB_ACTIONS"):
        missing = [name for name in (_REQUEST_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_URL") if not environ.get(name)]
        lacking = f"this job has no permission 'id-token: write' ({missing[0]} is not set)" if missing else ""
        return Ambient(name="GitHub Actions", lacking=lacking, remedy=PERMISSION if missing else NOTHING)
    if environ.get("GITLAB_CI"):
        given = any(name.endswith("_ID_TOKEN") and value for name, value in environ.items())
        lacking = "" if given else "this job has no ID token"
        return Ambient(name="GitLab", renews=False, lacking=lacking, remedy=NOTHING if given else _ID_TOKENS)
    names = {
        "CIRCLECI": "CircleCI",
        "BUILDKITE": "Buildkite",
        "GOOGLE_SERVICE_ACCOUNT_NAME": "Google Cloud",
    }
    return next((Ambient(name=name) for variable, name in names.items() if environ.get(variable)), None)


def id_token(audience: str, environ: Mapping[str, str]) -> Secret:
    """Get an ID token for one audience, a new one each time if the CI gives more than one.

    Raises `Denied` if none is available, `Unknown` if the CI does not answer properly.
    """
    from id import AmbientCredentialError, GitHubOidcPermissionCredentialError, detect_credential

    try:
        token = _in_time(lambda: detect_credential(audience))
    except GitHubOidcPermissionCredentialError as error:
        raise Denied("this job has no permission 'id-token: write'", next_step=PERMISSION) from error
    except AmbientCredentialError as error:
        mask = masker(Secret(environ.get(name, "")) for name in (_REQUEST_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_URL"))
        reason = mask(str(error))
        if environ.get("GITLAB_CI") and "not found" in reason:
            raise Denied(f"this job has no ID token for {audience}: {clean(reason)}", next_step=_ID_TOKENS) from error
        raise Unknown(
            f"the CI gave no ID token for {audience}: {clean(reason)}",
            otherwise=advice.CHECK_STATUS_PAGE(whose="CI"),
        ) from error
    if token is None:
        raise Denied(
            "no CI gives ID tokens here, so trusted publishing is not available",
            next_step=advice.RELEASE_FROM_CI(),
        )
    return Secret(token)


def _in_time(ask: Callable[[], str | None]) -> str | None:
    """Call with a time-out: the library limits a single request, but neither its retries nor a slow answer."""
    from id import IdentityError

    try:
        return call_within(_PATIENCE, ask)
    except IdentityError:
        raise
    except NoAnswer:
        what = f"the CI gave no ID token within {_PATIENCE:.0f} s"
    except Exception as error:  # noqa: BLE001 - any other error of the library is not an answer either
        what = f"cannot ask the CI for an ID token: {type(error).__name__}"
    raise Unknown(what, otherwise=advice.CHECK_STATUS_PAGE(whose="CI"))
