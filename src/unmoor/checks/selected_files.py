"""Which files a check looks at: all of the project's, or of those only what is about to be committed."""

from __future__ import annotations

from collections.abc import Callable

from unmoor.checks.model import CheckContext


def files_to_check(context: CheckContext, is_meant: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the project's files that are meant, by their paths from the top of the repository.

    With ``--staged``, those that the commit changes. ``is_meant`` gets the path from the project's folder.
    """
    found = {context.from_top(name) for name in context.project_names if is_meant(name)}
    if context.staged:
        found &= set(context.source.changed(context.head))
    return tuple(sorted(found))
