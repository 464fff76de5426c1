"""The one issue that a command opens, updates and closes: ``metrics check`` and ``watch``."""

from __future__ import annotations

import msgspec

from unmoor.adapters.factory import open_issues
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output
from unmoor.ports.issues import Issue, Issues, Notice, keep_one, one_of
from unmoor.ports.world import World


class IssueDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the issue. ``url`` is empty if there is none."""

    done: str
    url: str


class KeptIssue(msgspec.Struct, frozen=True, kw_only=True):
    """The issues of a repository, and the one that is kept, as it was found."""

    issues: Issues
    before: Issue | None

    @property
    def text(self) -> str:
        """The text of the open issue; empty if none is open."""
        return self.before.body if self.before is not None and self.before.is_open else ""

    def keep(self, notice: Notice) -> IssueDocument:
        """Open, update or close it, and print what was done. Raises as `Issues` does."""
        after, kept = keep_one(
            self.issues, self.before, title=notice.title, body=notice.body, is_needed=notice.is_needed
        )
        url = after.url if after is not None else ""
        output.err(f"issue {kept}{f': {url}' if url else ''}")
        return IssueDocument(done=str(kept), url=url)


def find_issue(marker: str, world: World, processes: Processes) -> KeptIssue:
    """Find the issue of the token's own user whose text begins with a marker. Raises as `Issues` does."""
    issues = open_issues(world, processes)
    return KeptIssue(issues=issues, before=one_of(issues.own(marker)))
