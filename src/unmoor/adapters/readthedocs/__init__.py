"""Read the Docs, through version 3 of its API. Implements `unmoor.ports.docs_service`. Begin with `project`."""

from __future__ import annotations

from unmoor.adapters.readthedocs.project import ReadTheDocs

__all__ = ["ReadTheDocs"]
