"""What was deployed beside a release: documentation, a Space, a service; and who heard of it."""

from __future__ import annotations

import msgspec

from unmoor.util.text import clean


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as it stands.

    ``what`` is ``docs``, ``space`` or ``service NAME``; ``address`` is where users see it, empty if there is none.
    ``identity`` is the tree, commit or digest by which it was found. ``counts`` are numbers with their names, such as
    ``("files", 20)``. ``left_out`` names what was not deployed, each with the reason.
    """

    what: str
    address: str
    identity: str
    counts: tuple[tuple[str, int], ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Where it is, what proves it, and the counts, in one line."""
        parts = [clean(self.address)] if self.address else []
        parts += [clean(self.identity, limit=19)] if self.identity else []
        parts += [f"{number} {clean(name)}" for name, number in self.counts]
        parts += [f"without {', '.join(clean(each) for each in self.left_out)}"] if self.left_out else []
        return ", ".join(parts) or clean(self.what)
