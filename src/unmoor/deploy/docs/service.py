"""Let Read the Docs build the tag of a release, and wait until it has.

The service builds from the repository by itself, so nothing is sent but the request. A build counts if it has ended,
went well, and was of the commit of the release: one that has only ended proves nothing, and a moved tag would be built
just as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from unmoor import advice
from unmoor.errors import BuildFailed, Conflict, Refused, TimedOut, TryLater, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.docs_service import DocsService, HostedBuild, HostedVersion
from unmoor.ports.poll import growing, poll
from unmoor.products import Release
from unmoor.util.text import clean, duration

_SYNCHRONIZE: Final = 180.0
_BUILD: Final = 1800.0
_FIRST, _LONGEST = 0.5, 20.0


class ServiceDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """One project of the service. ``say`` reports what happens meanwhile."""

    service: DocsService
    clock: Clock
    say: Callable[[str], None] = lambda _: None

    def find(self, release: Release) -> HostedVersion | None:
        """Find the version of a release, ``None`` unless a build of its commit went well and users see it."""
        version = self.service.version(release.tag)
        if version is None or not version.active:
            return None
        return version if self._built(version, release) else None

    def deploy(self, release: Release) -> HostedVersion:
        """Build the tag of a release and wait for the end.

        Raises `BuildFailed` with the address of the log, `Conflict` for a build of another commit, `TimedOut`,
        `Refused` if the service does not know the tag, and as the service does.
        """
        version = self._known(release)
        if not version.active:
            self.service.activate(version)
        if not self._built(version, release):
            self._wait(self._begin(version, release), release)
        return self._known(release)

    def _built(self, version: HostedVersion, release: Release) -> bool:
        return any(each.success and each.commit == release.commit for each in self.service.builds(version))

    def _known(self, release: Release) -> HostedVersion:
        """The version of the tag, once the service has heard of it."""
        version = self.service.version(release.tag)
        if version is None:
            self.say(f"asking Read the Docs to look for {release.tag}")
            self.service.synchronize()
            version = poll(
                lambda: self.service.version(release.tag),
                waits=growing(_FIRST, _LONGEST),
                clock=self.clock,
                deadline=_SYNCHRONIZE,
                forgiven=(Unknown,),
            )
        if version is None:
            raise Refused(
                f"Read the Docs has not heard of the tag {release.tag}",
                where=self.service.where,
                next_step=advice.CONNECT_READTHEDOCS(),
                retryable=True,
            )
        return version

    def _begin(self, version: HostedVersion, release: Release) -> int:
        """Return the number of the build that is under way, or of a new one."""
        if (running := self._running(version, release)) is not None:
            return running.id
        try:
            return self.service.trigger(version)
        except (Unknown, TryLater):
            # The service may have begun it all the same.
            if (running := self._running(version, release)) is not None:
                return running.id
            raise

    def _running(self, version: HostedVersion, release: Release) -> HostedBuild | None:
        builds = self.service.builds(version)
        return next((each for each in builds if not each.finished and each.commit in {"", release.commit}), None)

    def _wait(self, number: int, release: Release) -> None:
        self.say(f"Read the Docs builds {release.tag} (build {number})")
        build = poll(
            lambda: self.service.build(number),
            waits=growing(_FIRST, _LONGEST),
            clock=self.clock,
            until=lambda seen: seen.finished,
            deadline=_BUILD,
            forgiven=(Unknown,),
        )
        where = build.address or self.service.where
        if not build.finished:
            raise TimedOut(
                f"Read the Docs has not finished build {number} within {duration(_BUILD)}",
                where=self.service.where,
                next_step=advice.WAIT_FOR_READTHEDOCS(address=where),
            )
        step = advice.CHECK_READTHEDOCS_BUILD(address=where)
        if not build.success:
            why = f": {clean(build.error)}" if build.error else ""
            raise BuildFailed(
                f"build {number} of Read the Docs failed{why}", where=self.service.where, next_step=step, retryable=True
            )
        if build.commit != release.commit:
            raise Conflict(
                f"build {number} of Read the Docs is of commit {build.commit or '(unknown)'}, not of {release.commit}",
                where=self.service.where,
                next_step=step,
                retryable=True,
            )
