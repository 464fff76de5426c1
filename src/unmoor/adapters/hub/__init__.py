"""Spaces of a Hugging Face hub.

Reads go through the bounded session and are converted strictly (`client`, `answers`). Commits, tags and large files are
sent by huggingface_hub, which knows how (`writes`), but over the same session: by itself that client has no time-out,
repeats uploads as the server asks, and uses the login of this machine. Begin with `client`.
"""

from __future__ import annotations

from unmoor.adapters.hub.client import HubSpace

__all__ = ["HubSpace"]
