"""A signer in a local world, with control over what the world's Sigstore and issuer do."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.fault_plans import failing
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.sigstore import Sigstore
from unmoor.config.worlds import read_world
from unmoor.ports.world import SigningPlace
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.values import replace


@dataclass(frozen=True, kw_only=True)
class SigningJob:
    """A job that signs: its world, and a clock that does not wait."""

    world: LocalWorld
    clock: FakeClock = field(default_factory=FakeClock)
    http: BoundedSession = field(default_factory=lambda: BoundedSession(Bounds(total=10.0)))

    @property
    def place(self) -> SigningPlace:
        """The Sigstore of the world file, with ID tokens for the newest tag of its remote."""
        place = read_world(self.world.world_file, {}).signing
        assert place is not None
        return replace(place, identity=place.identity.removesuffix("/{tag}"))

    def sigstore(self, **changed: Any) -> Sigstore:
        """Return the adapter, with its own session, certificate and trust config."""
        return Sigstore.at(replace(self.place, **changed), self.http, self.clock, {})

    def requests(self, path: str) -> int:
        """Return how many requests Sigstore and the issuer have got for a path."""
        log = (self.world.folder / "requests.jsonl").read_text().splitlines()
        return sum(json.loads(line)["path"] == path for line in log)

    @contextlib.contextmanager
    def control(self, name: str, text: str = "", server: str = "sigstore") -> Iterator[Path]:
        """Set a control file of a server for a while."""
        path = self.world.folder / server / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else None
        path.write_text(text)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
            if before is not None:
                path.write_text(before)

    def failing(self, fault: str, at: str) -> contextlib.AbstractContextManager[str]:
        """Let requests of an address of Sigstore fail for a while, all or the first one; see `fault_plans`."""
        return failing(self.world.folder, fault, "sigstore", at)

    def claims(self, **claims: Any) -> contextlib.AbstractContextManager[Path]:
        """Change the claims of ID tokens for a while; ``None`` removes one."""
        return self.control("claims.json", json.dumps(claims), server="issuer")
