"""What GitHub Actions says of the run it started; elsewhere nothing.

Source: the default environment variables of GitHub Actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unmoor.config.addresses import REPOSITORY
from unmoor.errors import ConfigError

# Events that are about a tag somebody with push access made. Never a pull request's.
_EVENTS = frozenset({"push", "create", "release", "workflow_dispatch"})
_COMMIT = re.compile(r"[0-9a-f]{40}")
_TAGS = "refs/tags/"


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """One run of a workflow. Text is empty, and paths are ``None``, where nothing was said.

    ``tag`` is the tag the run was started for, as GitHub wrote it: not checked to be a fit name yet.
    ``commit`` is ``GITHUB_SHA``, 40 hexadecimal digits: the tag's own commit where there is a tag
    (the event's ``after`` would be the tag object of an annotated one), else that of the branch.
    ``summary`` and ``output`` are files to append to.
    """

    actions: bool = False
    tag: str = ""
    commit: str = ""
    repository: str = ""
    event: str = ""
    summary: Path | None = None
    output: Path | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> RunContext:
        """Read what GitHub Actions set. Raises `ConfigError` for a value that cannot be right."""
        if environ.get("GITHUB_ACTIONS") != "true":
            return cls()
        event = environ.get("GITHUB_EVENT_NAME", "")
        return cls(
            actions=True,
            tag=_tag(environ, event),
            commit=_fit(environ, "GITHUB_SHA", _COMMIT),
            repository=_fit(environ, "GITHUB_REPOSITORY", re.compile(REPOSITORY)),
            event=event if re.fullmatch(r"[a-z_]{1,40}", event) else "",
            summary=_file(environ, "GITHUB_STEP_SUMMARY"),
            output=_file(environ, "GITHUB_OUTPUT"),
        )

    def commit_of(self, tag: str) -> str:
        """The commit that GitHub named for a tag, empty where the run was not started for that tag.

        A run that was dispatched from a branch, and given a tag by hand, carries the branch's commit.
        """
        return self.commit if tag and tag == self.tag else ""


def _tag(environ: Mapping[str, str], event: str) -> str:
    ref = environ.get("GITHUB_REF", "")
    is_tag = ref.startswith(_TAGS) and environ.get("GITHUB_REF_TYPE", "tag") == "tag"
    return ref.removeprefix(_TAGS) if is_tag and event in _EVENTS else ""


def _fit(environ: Mapping[str, str], variable: str, form: re.Pattern[str]) -> str:
    value = environ.get(variable, "")
    if value and not form.fullmatch(value):
        raise _wrong(variable)
    return value


def _file(environ: Mapping[str, str], variable: str) -> Path | None:
    value = environ.get(variable, "")
    if not value:
        return None
    if not value.startswith("/") or "\x00" in value:
        raise _wrong(variable)
    return Path(value)


def _wrong(variable: str) -> ConfigError:
    return ConfigError(
        "this is not a value that GitHub Actions sets",
        where=f"the environment variable {variable}",
        next_step=f"leave {variable} as GitHub Actions set it; outside of Actions, unset GITHUB_ACTIONS",
    )


_OWNER_AND_NAME = r"/?(?P<repository>[^/\s]+/[^/\s]+?)(?:\.git)?/?"
_REMOTES = (
    re.compile(rf"(?:https?|git|ssh|git\+ssh)://(?:[^@/\s]*@)?(?P<host>[^@/:\s]+)(?::[0-9]+)?{_OWNER_AND_NAME}"),
    re.compile(rf"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]+):(?!//){_OWNER_AND_NAME}"),
)


def repository_of(remote: str, *, host: str = "github.com") -> str:
    """Tell ``owner/name`` from the address of a git remote (https, ssh, or as scp writes it).

    Empty where it cannot be told: another host, a path, more or fewer parts than two.
    """
    for form in _REMOTES:
        match = form.fullmatch(remote)
        if match is None:
            continue
        if match["host"].lower() not in {host, f"www.{host}", f"ssh.{host}"}:
            continue
        if re.fullmatch(REPOSITORY, match["repository"]):
            return match["repository"]
    return ""
