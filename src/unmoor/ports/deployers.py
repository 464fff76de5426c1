"""The ports of deployments. Each is opened when a stage needs it, so that a release without it imports nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from unmoor.ports.announcer import Announcer
from unmoor.ports.docs_service import DocsService
from unmoor.ports.pages import PagesBranch
from unmoor.ports.space_hub import SpaceHub


class Deployers(msgspec.Struct, frozen=True, kw_only=True):
    """What deployments talk to, each a function that opens it; ``None`` in a world without such a place.

    ``announcer`` takes the targets of the settings, each with the variable of its address. ``pages`` takes the name of
    a branch, ``docs_service`` that of a project of Read the Docs, ``space`` that of a Space, ``owner/name``.
    """

    announcer: Callable[[Mapping[str, str]], Announcer] | None = None
    pages: Callable[[str], PagesBranch] | None = None
    docs_service: Callable[[str], DocsService] | None = None
    space: Callable[[str], SpaceHub] | None = None
