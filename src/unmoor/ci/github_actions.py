"""What GitHub Actions says about the run that it started; empty elsewhere.

Source: the default environment variables of GitHub Actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath

import msgspec

from unmoor import advice
from unmoor.config.addresses import REPOSITORY
from unmoor.errors import ConfigError
from unmoor.util.decode import decode_json
from unmoor.util.digests import COMMIT

# Events about a tag that someone with push access made; never those of pull requests.
_EVENTS = frozenset({"push", "create", "release", "workflow_dispatch"})
_TAGS = "refs/tags/"
_NUMBER = re.compile(r"[0-9]{1,20}")


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a workflow. Texts are empty and paths ``None`` if they are not set.

    ``tag`` is the tag that the run was started for, not yet checked. ``commit`` is ``GITHUB_SHA``, 40
    hexadecimal digits: the commit of the tag if there is one (the event's ``after`` would be the tag object
    of an annotated tag), else of the branch. ``run`` is the number of the run, 0 if there is none. ``summary`` and
    ``output`` are files to append to.
    """

    actions: bool = False
    tag: str = ""
    commit: str = ""
    repository: str = ""
    event: str = ""
    run: int = 0
    summary: Path | None = None
    output: Path | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> RunContext:
        """Read the variables of GitHub Actions. Raises `ConfigError` for an impossible value."""
        if environ.get("GITHUB_ACTIONS") != "true":
            return cls()
        event = environ.get("GITHUB_EVENT_NAME", "")
        return cls(
            actions=True,
            tag=_tag(environ, event),
            commit=_checked(environ, "GITHUB_SHA", COMMIT),
            repository=_checked(environ, "GITHUB_REPOSITORY", re.compile(REPOSITORY)),
            event=event if re.fullmatch(r"[a-z_]{1,40}", event) else "",
            run=_run(environ),
            summary=_file(environ, "GITHUB_STEP_SUMMARY"),
            output=_file(environ, "GITHUB_OUTPUT"),
        )

    def commit_of(self, tag: str) -> str:
        """The commit that GitHub names for a tag, empty if the run was not started for that tag.

        A run that is dispatched from a branch, with the tag as an input, carries the branch's commit.
        """
        return self.commit if tag and tag == self.tag else ""


def _run(environ: Mapping[str, str]) -> int:
    number = environ.get("GITHUB_RUN_ID", "")
    return int(number) if _NUMBER.fullmatch(number) else 0


def _tag(environ: Mapping[str, str], event: str) -> str:
    ref = environ.get("GITHUB_REF", "")
    is_tag = ref.startswith(_TAGS) and environ.get("GITHUB_REF_TYPE", "tag") == "tag"
    return ref.removeprefix(_TAGS) if is_tag and event in _EVENTS else ""


def _checked(environ: Mapping[str, str], variable: str, form: re.Pattern[str]) -> str:
    value = environ.get(variable, "")
    if value and not form.fullmatch(value):
        raise _invalid(variable)
    return value


def _file(environ: Mapping[str, str], variable: str, kind: type[PurePath] = PurePath) -> Path | None:
    """Return the path in a variable. ``kind`` is that of the system's paths."""
    value = environ.get(variable, "")
    if not value:
        return None
    if not kind(value).is_absolute() or "\x00" in value:
        raise _invalid(variable)
    return Path(value)


def _invalid(variable: str) -> ConfigError:
    return ConfigError(
        "GitHub Actions does not set such a value",
        where=f"the environment variable {variable}",
        next_step=advice.KEEP_VARIABLE(variable=variable),
    )


class _Repository(msgspec.Struct, frozen=True):
    default_branch: str = ""


class _Event(msgspec.Struct, frozen=True):
    repository: _Repository = _Repository()


def default_branch(environ: Mapping[str, str]) -> str:
    """The default branch of the repository that a run belongs to; empty elsewhere, or if its event does not say it.

    The checkout of a run does not know it. Raises `ConfigError` for an impossible value.
    """
    path = _file(environ, "GITHUB_EVENT_PATH") if environ.get("GITHUB_ACTIONS") == "true" else None
    try:
        return decode_json(path.read_bytes(), _Event).repository.default_branch if path is not None else ""
    except (OSError, ValueError):
        return ""


_OWNER_AND_NAME = r"/?(?P<repository>[^/\s]+/[^/\s]+?)(?:\.git)?/?"
# The patterns take quadratic time.
_LONGEST = 2_000
_REMOTES = (
    re.compile(rf"(?:https?|git|ssh|git\+ssh)://(?:[^@/\s]*@)?(?P<host>[^@/:\s]+)(?::[0-9]+)?{_OWNER_AND_NAME}"),
    re.compile(rf"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]+):(?!//){_OWNER_AND_NAME}"),
)


def repository_of(remote: str, *, host: str = "github.com") -> str:
    """Read ``owner/name`` from the URL of a git remote (https, ssh, or the scp form).

    Empty if the URL has another host, is a path, or does not have exactly two parts.
    """
    if len(remote) > _LONGEST:
        return ""
    for form in _REMOTES:
        match = form.fullmatch(remote)
        if match is None:
            continue
        if match["host"].lower() not in {host, f"www.{host}", f"ssh.{host}"}:
            continue
        if re.fullmatch(REPOSITORY, match["repository"]):
            return match["repository"]
    return ""
