"""Who says who this job is: the CI that it runs in, and the ID tokens that it gives out.

The tokens are fetched by the library ``id``, which knows GitHub Actions, GitLab, CircleCI, Buildkite
and Google Cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from unmoor.errors import Denied, Unknown
from unmoor.util.concurrency import NoAnswer, call_within
from unmoor.util.secret import Secret
from unmoor.util.text import clean

PERMISSION = (
    "give the job 'permissions: id-token: write' (and 'contents: write' where it needs that: a list of permissions"
    " replaces all others); a run for a pull request from a fork never gets it"
)
_ID_TOKENS = "give the job 'id_tokens:' with PYPI_ID_TOKEN, TESTPYPI_ID_TOKEN, or <AUDIENCE>_ID_TOKEN for another index"
_PATIENCE = 45.0
_REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, kw_only=True)
class Ambient:
    """The CI around us. ``lacking`` says what keeps it from giving ID tokens, and ``remedy`` what to do about it.

    ``renews``: every token is a new one. GitLab gives one a job, and an index takes each only once.
    """

    name: str
    renews: bool = True
    lacking: str = ""
    remedy: str = ""


def ambient(environ: Mapping[str, str]) -> Ambient | None:
    """Tell the CI by its variables, ``None`` where this is none that gives ID tokens. Asks nobody."""
    if environ.get("GITHUB_ACTIONS"):
        missing = [name for name in (_REQUEST_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_URL") if not environ.get(name)]
        lacking = f"this job has no permission 'id-token: write' ({missing[0]} is not set)" if missing else ""
        return Ambient(name="GitHub Actions", lacking=lacking, remedy=PERMISSION if missing else "")
    if environ.get("GITLAB_CI"):
        given = any(name.endswith("_ID_TOKEN") and value for name, value in environ.items())
        lacking = "" if given else "this job has no ID token"
        return Ambient(name="GitLab", renews=False, lacking=lacking, remedy="" if given else _ID_TOKENS)
    names = {
        "CIRCLECI": "CircleCI",
        "BUILDKITE": "Buildkite",
        "GOOGLE_SERVICE_ACCOUNT_NAME": "Google Cloud",
    }
    return next((Ambient(name=name) for variable, name in names.items() if environ.get(variable)), None)


def id_token(audience: str, environ: Mapping[str, str]) -> Secret:
    """Get an ID token for one audience: a new one each time, where the CI gives more than one.

    Raises `Denied` where there is none to be had, `Unknown` where the CI does not answer properly.
    """
    from id import AmbientCredentialError, GitHubOidcPermissionCredentialError, detect_credential

    try:
        token = _in_time(lambda: detect_credential(audience))
    except GitHubOidcPermissionCredentialError as error:
        raise Denied("this job has no permission 'id-token: write'", next_step=PERMISSION) from error
    except AmbientCredentialError as error:
        told = str(error)
        for name in (_REQUEST_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_URL"):
            told = told.replace(environ.get(name) or "\0", "***")
        if environ.get("GITLAB_CI") and "not found" in told:
            raise Denied(f"this job has no ID token for {audience}: {clean(told)}", next_step=_ID_TOKENS) from error
        raise Unknown(
            f"the CI gave no ID token for {audience}: {clean(told)}",
            otherwise="look at the CI's status page",
        ) from error
    if token is None:
        raise Denied(
            "nothing here gives ID tokens, so there is no trusted publishing",
            next_step="release from a job of a CI that the index trusts, or give a token and set"
            ' trusted-publishing = "auto"',
        )
    return Secret(token)


def _in_time(ask: Callable[[], str | None]) -> str | None:
    """Ask, for some seconds at most: the library bounds a request, but neither its retries nor a slow answer."""
    from id import IdentityError

    try:
        return call_within(_PATIENCE, ask)
    except IdentityError:
        raise
    except NoAnswer:
        trouble = f"the CI gave no ID token within {_PATIENCE:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever else the library lets through is no answer
        trouble = f"the CI could not be asked for an ID token: {type(error).__name__}"
    raise Unknown(trouble, otherwise="look at the CI's status page")
