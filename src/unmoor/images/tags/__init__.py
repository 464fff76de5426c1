"""The tags of images: docker/metadata-action's rule language, and which tags may move. Pure: no input or output.

::

    plan(["type=pep440,pattern={{version}}"], [], ["ghcr.io/owner/name"], Context(ref="refs/tags/v1.2.3", now=now))

Begin with `planner`. Each other module has one part of the language.
"""

from unmoor.images.tags.context import RepositoryFacts, TagContext, with_event
from unmoor.images.tags.floating import TagKind, kinds, may_move
from unmoor.images.tags.planner import Plan, Tag, plan

__all__ = ["Plan", "RepositoryFacts", "Tag", "TagContext", "TagKind", "kinds", "may_move", "plan", "with_event"]
