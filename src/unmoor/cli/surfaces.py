"""Take the inventory of a release for the commands that read the surfaces: ``status`` and ``undo``."""

from __future__ import annotations

from functools import partial

from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import output
from unmoor.cli.session import Session
from unmoor.errors import ConfigError, Denied, Unknown
from unmoor.products import Release
from unmoor.project import read_facts
from unmoor.publish.inventory import Inventory, OwnManifest, take_inventory
from unmoor.publish.latest import is_latest
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming


def inventory_of(opened: Session) -> Inventory:
    """Read every surface of the session's world. Raises `Refused` for a tag of another project, `ConfigError`."""
    request, services = opened.request, opened.services
    return take_inventory(
        describe_release(opened),
        git=services.git,
        forge=services.forge,
        index=services.index,
        staging=request.staging(services),
        plans=request.image_plans(services),
        own=_own_manifest(request.folder),
    )


def _own_manifest(folder: RunFolder) -> OwnManifest:
    """The manifest of this machine if it counts, and what tells whether another one counts.

    One in the run folder does not count if only its signature could decide, and that cannot be judged.
    """
    where = str(folder.path)
    try:
        folder.unvouched()
    except (ConfigError, Denied, Unknown) as error:
        output.err(f"warning: what is in {clean(where)} is ignored: {clean(error.in_brief(where=True))}")
        return OwnManifest(manifest=None, where=where, belief=folder.belief)
    return OwnManifest(manifest=folder.read_known(), where=where, belief=folder.belief)


def describe_release(opened: Session) -> Release:
    """The release as this checkout knows it. The commit is empty if the checkout lacks the tag."""
    request, git = opened.request, opened.services.git
    commit = git.tags().get(request.tag, "")
    at = commit or git.head()
    name = request.settings.project
    if not name and at:
        name = read_facts(partial(git.read, at)).name
    naming = _naming(opened, name)
    prefix = naming.prefix_of(request.tag)
    version = pep440.read_tag(request.tag, prefix=prefix)
    return Release(
        repository=request.repository,
        project=name,
        tag=request.tag,
        version=str(version),
        commit=commit,
        date=git.date_of(commit) if commit else 0,
        prerelease=version.is_prerelease,
        highest=False,
        prefix=prefix,
        path=git.path,
    )


def is_highest(release: Release, opened: Session) -> bool:
    """Whether a release is the highest final version. Raises `Unknown` if that cannot be determined."""
    services = opened.services
    return is_latest(
        pep440.read_tag(release.tag, prefix=release.prefix),
        (),
        project=release.project,
        naming=_naming(opened, release.project).for_prefix(release.prefix),
        index=services.index,
        forge=services.forge,
        moves=True,
        warn=output.err,
    )


def _naming(opened: Session, project: str) -> Naming:
    git = opened.services.git
    return Naming(configured=opened.request.settings.tag_prefix, project=lambda: project, in_folder=bool(git.path))
