"""Write release notes from the commits, for a project without a changelog."""

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
    """Write one bullet for each commit since the previous release. Returns the text and its source.

    The port leaves out merges. Subjects are untrusted text, so they are escaped. A zero-width space after an at sign
    prevents mentions from notifying anyone.
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
