"""A checkout that reads the remote's tags once, for a command that looks at many of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.util.asked_once import AskedOnce


class ListedCheckout(GitCheckout):
    """Reads the tags of this machine and of the remote once each. So it is for commands that only read."""

    @cached_property
    def _once(self) -> AskedOnce:
        return AskedOnce()

    def remote_tags(self) -> Mapping[str, str]:
        """Every tag of the remote, peeled, read once; see `unmoor.ports.git.Git`."""
        return self._once("remote", super().remote_tags)

    def tags(self) -> Mapping[str, str]:
        """Every local tag, with the commit it peels to, read once."""
        return self._once("tags", super().tags)
