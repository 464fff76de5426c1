"""The client of GitHub's REST API, for releases (`unmoor.adapters.forge`) and for packages of GHCR.

Begin with `client`; `pace` limits the rate of writes.
"""

from __future__ import annotations

from unmoor.adapters.github.client import GitHubClient
from unmoor.adapters.github.pace import Pace

__all__ = ["GitHubClient", "Pace"]
