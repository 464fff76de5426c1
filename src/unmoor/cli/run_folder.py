"""Open the run folder of a tag, with what vouches for its documents in this run."""

from __future__ import annotations

from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import output
from unmoor.cli.resolve_project import ResolvedTarget
from unmoor.cli.run_options import RunOptions
from unmoor.config.settings import Settings
from unmoor.core.stage import Reach
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.ports.signer import Signing
from unmoor.ports.world import World
from unmoor.provenance.release_signatures import ReleaseSignatures
from unmoor.util.text import clean


def open_folder(options: RunOptions, target: ResolvedTarget, world: World, services: Services) -> RunFolder:
    """Return the run folder, with what vouches for documents.

    That is: the digests that were given, this user's notebook, and signatures of the release workflow. A rehearsal's
    own documents count in it, and it judges no signature: those of its world are its own, and it asks no other.
    """
    checkout = target.checkout.folder
    if options.belief is not None or options.rehearsing:
        return RunFolder.of(checkout, target.tag, options.belief)
    notebook = StateNotebook.of(world.forge.repository, target.tag, target.commit or "", checkout=checkout)
    if notebook.problem and options.ceiling > Reach.READS:
        output.err(f"warning: what this run writes will not be remembered: {clean(notebook.problem, limit=500)}")
    signatures = signatures_of(
        target.tag,
        target.settings,
        world.forge.repository,
        signing=services.signing,
        forge=services.forge,
        git=services.git,
    )
    belief = Belief(given=frozenset(options.files.digests), notebook=notebook, signatures=signatures)
    return RunFolder.of(checkout, target.tag, belief)


def signatures_of(
    tag: str, settings: Settings, repository: str, *, signing: Signing | None, forge: Forge, git: Git
) -> ReleaseSignatures | None:
    """What judges signatures of a release, ``None`` if the settings or the world do without. Asks nothing yet."""
    if signing is None or settings.attestations == "off":
        return None
    return ReleaseSignatures(
        tag=tag,
        repository=repository,
        workflow=settings.release_workflow,
        signing=signing,
        forge=forge,
        git=git,
    )
