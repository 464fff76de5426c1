"""The run that tags are planned for: ref, commit, event, repository, times.

Sources: GitHub's pages "Events that trigger workflows" and "Webhook events and payloads".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.images.tags.expressions import Names
from unmoor.util.values import replace

HEADS: Final = "refs/heads/"
TAGS: Final = "refs/tags/"
PULLS: Final = "refs/pull/"
SHORT: Final = 7
# These events run on the last commit of the default branch, whatever their payload says.
_ON_DEFAULT_BRANCH = re.compile("create|discussion|issues|schedule")


class RepositoryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The repository as its forge describes it; a text is empty if it is unknown.

    ``default_branch`` is the forge's answer. ``licence`` is an SPDX identifier.
    """

    title: str = ""
    description: str = ""
    url: str = ""
    licence: str = ""
    default_branch: str = ""


class TagContext(msgspec.Struct, frozen=True, kw_only=True):
    """One run. ``ref`` is full (``refs/heads/main``), ``sha`` the commit, ``now`` the injected time (aware).

    ``default_branch`` is what the event's payload says, ``pushed_base`` and ``pull_base`` are the
    payload's ``base_ref`` and ``pull_request.base.ref``, ``short`` is the length of a short commit id.
    """

    ref: str = ""
    sha: str = ""
    event: str = ""
    now: datetime
    commit_date: datetime | None = None
    default_branch: str = ""
    pushed_base: str = ""
    pull_base: str = ""
    repository: RepositoryFacts = msgspec.field(default_factory=RepositoryFacts)
    short: int = SHORT

    @property
    def branch(self) -> str:
        """The branch; empty if the ref is not a branch."""
        return self.ref.removeprefix(HEADS) if self.ref.startswith(HEADS) else ""

    @property
    def tag(self) -> str:
        """The tag; empty if the ref is not a tag."""
        return self.ref.removeprefix(TAGS) if self.ref.startswith(TAGS) else ""

    @property
    def short_sha(self) -> str:
        """The commit's short id: its first `short` digits."""
        return self.sha[: self.short]

    @property
    def base_ref(self) -> str:
        """The branch that a tag was pushed from, or that a pull request goes into."""
        if self.ref.startswith(TAGS) and self.pushed_base:
            return self.pushed_base.removeprefix(HEADS)
        return self.pull_base if self.ref.startswith(PULLS) else ""

    @property
    def is_default_branch(self) -> bool:
        """Whether this is the default branch, or an event that always runs on it."""
        branch = self.ref.removeprefix(HEADS)
        if not branch:
            return False
        return branch == self.default_branch or _ON_DEFAULT_BRANCH.search(self.event) is not None

    def names(self) -> Names:
        """Return all names that expressions outside a pattern can use."""
        default = self.is_default_branch
        return Names(
            texts={
                "branch": self.branch,
                "tag": self.tag,
                "sha": self.short_sha,
                "base_ref": self.base_ref,
                "is_default_branch": str(default).lower(),
                "is_not_default_branch": str(not default).lower(),
            },
            times=self.times(),
        )

    def times(self) -> Mapping[str, datetime | None]:
        """Return the times that expressions can use."""
        return {"date": self.now, "commit_date": self.commit_date}


def with_event(context: TagContext, payload: object, *, head_of_pull: bool = False) -> TagContext:
    """Add what an event's payload says; it is a JSON object as GitHub sends it.

    A ``pull_request_target`` gets the ref of its pull request. With ``head_of_pull`` the commit is the one that
    the author pushed, not the merge commit that GitHub made. Raises `ConfigError` if the payload is not an
    object, or lacks the pull request's number.
    """
    if not isinstance(payload, dict):
        raise ConfigError(
            "the event is not a JSON object",
            where="event",
            next_step=advice.PASS_EVENT_FILE(),
        )
    repository, pull = _part(payload, "repository"), _part(payload, "pull_request")
    ref, sha = context.ref, context.sha
    if "pull_request_target" in context.event:
        number = payload.get("number")
        if not isinstance(number, int):
            raise ConfigError(
                "the payload of the pull_request_target has no number",
                where="event",
                next_step=advice.NAME_PULL_REQUEST(),
            )
        ref = f"{PULLS}{number}/merge"
    if head_of_pull and "pull_request" in context.event:
        sha = _text(_part(pull, "head"), "sha") or sha
    known = context.repository
    return replace(
        context,
        ref=ref,
        sha=sha,
        commit_date=_commit_date(payload, sha) or context.commit_date,
        default_branch=_text(repository, "default_branch") or context.default_branch,
        pushed_base=_text(payload, "base_ref"),
        pull_base=_text(_part(pull, "base"), "ref"),
        repository=RepositoryFacts(
            title=_text(repository, "name") or known.title,
            description=_text(repository, "description") or known.description,
            url=_text(repository, "html_url") or known.url,
            licence=_text(_part(repository, "license"), "spdx_id") or known.licence,
            default_branch=_text(repository, "default_branch") or known.default_branch,
        ),
    )


def _part(payload: Mapping[str, object], key: str) -> dict[str, object]:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def _text(payload: Mapping[str, object], key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _commit_date(payload: Mapping[str, object], sha: str) -> datetime | None:
    """Find the commit's time in the payload of a push; ``None`` if it has none."""
    commits = payload.get("commits")
    pushed = commits if isinstance(commits, list) else []
    for commit in (*pushed, payload.get("head_commit")):
        if isinstance(commit, dict) and sha and commit.get("id") == sha:
            found = read_time(_text(commit, "timestamp"))
            if found:
                return found
    return None


def read_time(text: str) -> datetime | None:
    """Parse an ISO 8601 time, in UTC if it has no zone; ``None`` if it is not one."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
