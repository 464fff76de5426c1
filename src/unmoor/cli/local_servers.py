"""The servers that a local world has for one project, beside those of every world: by the tables of its settings."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from unmoor.config.settings import Settings


class LocalServers(msgspec.Struct, frozen=True, kw_only=True):
    """``announce`` are the targets that catch announcements, as ``NAME=KIND``; ``deployments`` name other servers."""

    announce: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()


def servers_of(settings: Settings, environ: Mapping[str, str]) -> LocalServers:
    """Return the servers in place of the hub, of Read the Docs and of the targets of announcements.

    Of the real address of a target, in ``environ``, only the service counts, if it is known here.
    """
    targets = settings.docs.targets if settings.docs is not None else ()
    hub = ("hub",) if settings.space else ()
    readthedocs = ("readthedocs",) if any(each.startswith("readthedocs:") for each in targets) else ()
    return LocalServers(announce=_announced(settings, environ), deployments=(*hub, *readthedocs))


def _announced(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    if settings.announce is None:
        return ()
    from unmoor.rehearsal.announce.targets import LocalTarget

    named = settings.announce.targets.items()
    return tuple(LocalTarget.of(name, environ.get(variable, "")).argument for name, variable in named)
