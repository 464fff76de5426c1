"""The tags of images: docker/metadata-action's rule language, and which tags may move. Nothing here reads the world.

::

    plan(["type=pep440,pattern={{version}}"], [], ["ghcr.io/owner/name"], Context(ref="refs/tags/v1.2.3", now=now))

`images.image_plan` and ``unmoor image-tags`` import it. Begin with `planner`; one module a kind of rule or field.
"""

from unmoor.images.tags.context import RepositoryFacts, TagContext, with_event
from unmoor.images.tags.floating import TagKind, kinds, may_move
from unmoor.images.tags.planner import Plan, Tag, plan

__all__ = ["Plan", "RepositoryFacts", "Tag", "TagContext", "TagKind", "kinds", "may_move", "plan", "with_event"]
