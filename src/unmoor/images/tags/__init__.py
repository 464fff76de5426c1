"""The tags of images: docker/metadata-action's rule language, and which tags may move. Nothing here reads the world.

::

    plan(["type=pep440,pattern={{version}}"], [], ["ghcr.io/owner/name"], Context(ref="refs/tags/v1.2.3", now=now))
"""

from unmoor.images.tags.context import Context, Repository, with_event
from unmoor.images.tags.floating import Kind, kinds, may_move
from unmoor.images.tags.planner import Plan, Tag, plan

__all__ = ["Context", "Kind", "Plan", "Repository", "Tag", "kinds", "may_move", "plan", "with_event"]
