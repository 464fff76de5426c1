"""Release notes from the commits: for a project that keeps no changelog."""

from __future__ import annotations

import re

from unmoor.notes.markdown import escape
from unmoor.ports.git import Git
from unmoor.products import Release
from unmoor.util.text import clean

SHOWN = 200
_FETCHED = 1_000
_MENTION = re.compile(r"@(?=\w)")


def list_commits(release: Release, git: Git) -> tuple[str, str]:
    """Write one bullet a commit since the previous release, and say in words where that comes from.

    Merges are left out by the port. Subjects are anybody's words: they are escaped, and a name after an
    at sign is kept apart from it by an invisible space, so that nobody is called to the page.
    """
    if release.previous is None:
        return "First release.", "the first release"
    commits = git.log(since=release.previous, until=release.commit, limit=_FETCHED)
    lines = [f"- {_format_subject(commit.subject)}" for commit in commits[:SHOWN]]
    if len(commits) > SHOWN:
        least = "at least " if len(commits) >= _FETCHED else ""
        lines.append(f"- and {least}{len(commits) - SHOWN} more")
    return "\n".join(lines), f"the commits since {clean(release.previous)}"


def _format_subject(text: str) -> str:
    escaped = escape(clean(text)) or "(no subject)"
    return _MENTION.sub("@&#8203;", escaped)
