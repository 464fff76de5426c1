"""Whether there is an engine for the images of a run, asked before anything is built."""

from __future__ import annotations

from collections.abc import Iterable

from unmoor.errors import Denied, ToolMissing, Unknown
from unmoor.images.image_plan import ImagePlan, commit_tags
from unmoor.ports.engine import Engine
from unmoor.products import Certainty, Finding, Release
from unmoor.util.text import clean


def probe_engine(engine: Engine, plans: Iterable[ImagePlan], release: Release) -> list[Finding]:
    """Return what is known of the engine. Without one, images that registries have already need none.

    Raises `ToolMissing` or `Denied` if no engine can be used and an image is still to be built.
    """
    try:
        facts = engine.facts()
    except (ToolMissing, Denied) as error:
        if not all(_may_be_pushed(plan, release) for plan in plans):
            raise
        detail = f"{error.what}; the registries have images of this commit already, which need none"
        return [Finding(surface="engine", certainty=Certainty.UNPROVEN, detail=detail, proven_by="images")]
    detail = f"{facts.builder} on engine {clean(facts.version, 40)}"
    return [Finding(surface="engine", certainty=Certainty.PROVEN, detail=detail)]


def _may_be_pushed(plan: ImagePlan, release: Release) -> bool:
    """Whether a registry has every target of an image under a tag of the commit, or does not say."""
    registry = plan.registries[0]
    try:
        return all(
            any(registry.manifest(tag) is not None for tag in commit_tags(release, target)) for target in plan.targets
        )
    except (Denied, Unknown):
        return True
