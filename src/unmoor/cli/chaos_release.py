"""The release that rounds of chaos play: prepared in a clone, built and proven once, and what it must end with."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.system import this_system
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.manifest import LIMIT, NAME, Manifest
from unmoor.artifacts.notebook import StateNotebook
from unmoor.cli import rehearse_run, session
from unmoor.cli.built_elsewhere import BuiltElsewhere
from unmoor.cli.chaos_options import replay_command
from unmoor.cli.local_servers import servers_of
from unmoor.cli.output import err
from unmoor.cli.resolve_project import ResolvedTarget, open_world, remote_repository, resolve_target
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.core.stage import Reach
from unmoor.filesystem.files import read_regular
from unmoor.images.image_names import LOCAL
from unmoor.project.locate import naming_at
from unmoor.rehearsal import local
from unmoor.rehearsal.chaos.addresses import Addresses, addresses_of
from unmoor.rehearsal.chaos.folders import BASE, WorldFolder, read_from
from unmoor.rehearsal.invariants.evidence import Expected
from unmoor.render import words
from unmoor.util.decode import decode_json
from unmoor.util.values import replace
from unmoor.versioning import pep440

if TYPE_CHECKING:
    from unmoor.adapters.git.checkout import GitCheckout
    from unmoor.project.locate import ConfigSources
    from unmoor.rehearsal.prepare import Prepared

PATIENCE = (2.0, 10.0)
"""The least and the most seconds for which a run waits for a server of these worlds, on a machine that is not busy."""
_SHARE = 4
"""The most is that part of a whole release if it took longer: a busy machine needs as long for each part, too."""
_LIMIT = 50_000_000
_DROPPED = ("GITHUB_", "ACTIONS_", "GH_", "TWINE_")
"""Variables that a round must not see: those of a job and its credentials."""
_OF_ONE_RUN = frozenset({
    "UNMOOR_WORLD", "UNMOOR_MANIFEST_SHA256", "UNMOOR_EMERGENCY", "UNMOOR_WAIVE", "UNMOOR_CONFIRM", "UNMOOR_PROGRESS",
})  # fmt: skip


@dataclass(kw_only=True)
class ChaosRelease:
    """A release, prepared in the folder ``base``. ``world`` are the arguments with which each round's world serves.

    ``no_images`` and ``unsigned`` say why there are none, or no signatures; empty if there are.
    """

    target: TargetOptions
    without_images: bool
    processes: Processes
    resolved: ResolvedTarget
    prepared: Prepared
    base: WorldFolder
    world: dict[str, Any]
    serving: local.LocalWorld
    key: str
    prefix: str
    no_images: str
    unsigned: str
    built_in: float = 0.0

    def build(self, *, command: str, as_json: bool) -> int:
        """Build and prove the files once, as a rehearsal would. Return the exit code; a failure has been printed.

        ``command`` is the one to run again then.
        """
        err("building and testing once; the rounds begin with these files")
        began = time.monotonic()
        inside = replace(self.target, folder=self.prepared.checkout, path=self.prepared.path, tag=self.prepared.tag)
        notebook = StateNotebook.of(
            self.world["repository"],
            self.resolved.tag,
            self.resolved.commit or "",
            checkout=self.prepared.checkout,
            state=self.base.state / "unmoor",
        )
        options = RunOptions(
            target=replace(inside, world=self.serving.world_file),
            ceiling=Reach.LOCAL,
            as_json=as_json,
            rehearsing=True,
            uncommitted=tuple(self.prepared.uncommitted),
            local_prefix=self.prefix,
            without_images=self.without_images,
            sign_with=self.key,
            belief=Belief(notebook=notebook),
            command=command,
        )
        opened = session.open_resolved(options, self.resolved, self.processes)
        report = session.run_session(opened, options, self.processes)
        self.built_in = time.monotonic() - began
        return session.finish(report, opened, options) if words.failures(report) else 0

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of ``unmoor release`` in every round."""
        config = ("--config", str(self.target.config.absolute())) if self.target.config else ()
        return (*config, *(("--skip", "images") if self.without_images else ()))

    @property
    def child_options(self) -> tuple[str, ...]:
        """The options of the child that runs it."""
        return () if self.no_images else ("--images", self.prefix)

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of each round: the user's, without those of a job and without credentials."""
        kept = {
            name: value for name, value in environ.items() if not name.startswith(_DROPPED) and name not in _OF_ONE_RUN
        }
        signing = {"UNMOOR_SIGN_WITH": self.key} if self.key else {}
        return kept | signing | {"UNMOOR_PROGRESS": "plain"}

    def expected(self) -> Expected:
        """Return what a release without faults ends with, by the manifest of what was built."""
        manifest = decode_json(read_regular(self.base.run / NAME, LIMIT), Manifest)
        checkout = self.resolved.checkout
        prefix = naming_at(checkout, manifest.commit, self.resolved.sources).prefix_of(manifest.tag)
        others = pep440.release_tags(checkout.tags(), prefix=prefix).values()
        return Expected(
            repository=manifest.repository,
            project=manifest.project,
            tag=manifest.tag,
            version=manifest.version,
            commit=manifest.commit,
            prerelease=manifest.prerelease,
            highest=pep440.is_highest(pep440.read_tag(manifest.tag, prefix=prefix), others),
            files={each.name: each.sha256 for each in manifest.artifacts},
            staging=self.resolved.settings.testpypi != "off",
        )

    def wait_as_long(self, plain: float) -> None:
        """Let rounds wait for a server as long as a whole release without faults took, on this machine at this time.

        A silent server then costs little, and a busy machine does not look like one.
        """
        self.world["patience"] = patience_after(plain)

    def met(self) -> Addresses:
        """Return the addresses that building from nothing had."""
        return addresses_of(read_from(self.base.requests, 0, _LIMIT), read_from(self.base.journal, 0, _LIMIT))

    def replay(self, injections: tuple[str, ...], *, from_nothing: bool) -> str:
        """Return the command line that plays these faults again."""
        return replay_command(self.target, injections, from_nothing=from_nothing, without_images=self.without_images)


def patience_after(plain: float) -> float:
    """Return for how many seconds rounds wait for a server, by how long a release without faults took."""
    return round(min(max(plain, min(PATIENCE)), max(*PATIENCE, plain / _SHARE)), 1)


@contextmanager
def prepared_release(
    here: GitCheckout,
    target: TargetOptions,
    sources: ConfigSources,
    processes: Processes,
    folder: Path,
    *,
    without_images: bool,
) -> Iterator[ChaosRelease]:
    """Prepare a clone and a world in ``folder``, as a rehearsal does, to build the release in once.

    Images that it and the rounds build are removed from the engine at the end of the block.
    """
    path = folder / BASE
    with ExitStack() as stack:
        servers = stack.enter_context(local.Beginning(path))
        given = BuiltElsewhere(belief=Belief(), tag=target.tag)
        prepared = rehearse_run.prepared_clone(here, path, processes, given, sources)
        inside = TargetOptions(folder=prepared.checkout, path=prepared.path, tag=prepared.tag, config=target.config)
        resolved = resolve_target(inside, sources, processes, rehearsing=True)
        repository = remote_repository(here) or resolved.repository or session.LOCAL_REPOSITORY
        images = not without_images and this_system().images
        hosts = rehearse_run.registry_hosts(resolved, repository) if images else ()
        world = _world(prepared, resolved, repository, hosts)
        serving = stack.enter_context(servers.serve(**world))
        if serving.no_registry:
            err(f"warning: {serving.no_registry}")
        release = ChaosRelease(
            target=target,
            without_images=without_images,
            processes=processes,
            resolved=resolved,
            prepared=prepared,
            base=WorldFolder(path, prepared.tag, prepared.path),
            world=world,
            serving=serving,
            key=rehearse_run.other_key(resolved.settings.sign_with, path, processes),
            prefix=f"{LOCAL}/chaos-{sha256(os.fsencode(folder)).hexdigest()[:12]}",
            no_images=serving.no_registry or ("" if hosts else "the release has no images"),
            unsigned="the project does not sign" if resolved.settings.attestations == "off" else "",
        )
        if hosts:
            engine = create_services(
                open_world(serving.world_file, resolved, repository=repository),
                prepared.checkout,
                processes,
                path=prepared.path,
                sends=False,
            ).engine
            stack.enter_context(rehearse_run.removed_images(engine, release.prefix))
        yield release


def _world(prepared: Prepared, resolved: ResolvedTarget, repository: str, hosts: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments with which the world of the release, and that of each round, serves."""
    besides = servers_of(resolved.settings, os.environ)
    return {
        "repository": repository,
        "checkout": prepared.checkout,
        "file_limit": resolved.settings.max_file_size << 20,
        "registry": bool(hosts),
        "hosts": hosts or ("ghcr.io",),
        "any_platform": True,
        "tag": prepared.tag,
        "announce": besides.announce,
        "deployments": besides.deployments,
        "patience": 0.0,  # without faults, wait as a release does
    }
