"""The one client of GitHub's REST API: releases (`unmoor.adapters.forge`) and packages of GHCR both ask through it.

Begin with `client`; `pace` holds requests back before GitHub does.
"""

from __future__ import annotations

from unmoor.adapters.github.client import GitHubClient
from unmoor.adapters.github.pace import Pace

__all__ = ["GitHubClient", "Pace"]
