"""Users in GitHub's answers, and who the author of what a token writes is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from unmoor.adapters.github.answers import converted

if TYPE_CHECKING:
    from unmoor.adapters.github.client import GitHubClient

WORKFLOW: Final = "github-actions[bot]"
"""The author of what the token of a workflow's job writes."""
_INSTALLATION: Final = "ghs_"


class GitHubUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user as each answer names one. ``type`` is ``Bot`` for an app."""

    login: str
    type: str = "User"


def author_of(api: GitHubClient) -> str:
    """The login of the token's user. Raises as `GitHubClient.read` does.

    The token of a job has no user: GitHub refuses ``/user``, and writes in the name of its own app.
    """
    if api.token.reveal().startswith(_INSTALLATION):
        return WORKFLOW
    return converted(api.read("/user"), GitHubUser, "a user", api.where("/user")).login
