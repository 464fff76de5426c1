"""Create the services of a run: one adapter for each port, for one world and one checkout."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.deployers import open_deployers
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.system import this_system
from unmoor.ports.clock import Clock
from unmoor.ports.comments import Comments
from unmoor.ports.git_writer import GitWriter
from unmoor.ports.index import Index
from unmoor.ports.issues import Issues
from unmoor.ports.key_signer import KeySigner
from unmoor.ports.leftovers import Leftovers
from unmoor.ports.project_lock import ProjectLock
from unmoor.ports.pull_requests import PullRequests
from unmoor.ports.record_files import RecordFiles
from unmoor.ports.registry import Registry
from unmoor.ports.repository_rules import RepositoryRules
from unmoor.ports.run_history import RunHistory
from unmoor.ports.scanner import Scanners
from unmoor.ports.services import Services
from unmoor.ports.signer import Signing
from unmoor.ports.space_hub import SpaceHub
from unmoor.ports.workflow_runs import WorkflowRuns
from unmoor.ports.world import ForgePlace, IndexPlace, World
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.adapters.forge.listed import ListedForge
    from unmoor.adapters.git.listed import ListedCheckout
    from unmoor.adapters.http.session import BoundedSession
    from unmoor.adapters.index.listed import ListedIndex
    from unmoor.adapters.requirement_lists import UvLists
    from unmoor.adapters.uv import Uv


@dataclass(frozen=True)
class ListedServices:
    """What reads the surfaces of many releases, and asks each question once."""

    git: ListedCheckout
    index: ListedIndex
    forge: ListedForge
    signing: Signing | None


def open_checkout(folder: Path, processes: Processes, *, remote: str = "origin") -> GitCheckout:
    """The repository that contains a folder. Reads nothing yet."""
    return GitCheckout(folder, LocalShell(processes=processes), remote)


def _clock(world: World, processes: Processes) -> MonotonicClock:
    return MonotonicClock(processes=processes, patience=world.patience)


def open_http(world: World, *, direct: bool = False) -> BoundedSession:
    """Open a connection to the servers of a world. Sends nothing yet."""
    from unmoor.adapters.http.limits import Bounds
    from unmoor.adapters.http.session import BoundedSession

    return BoundedSession(Bounds(patience=world.patience), direct=direct)


def open_scanners(world: World, processes: Processes) -> Scanners:
    """The scanners of a world, for a command that needs nothing else of it."""
    return _scanners(world, _uv(world, LocalShell(processes=processes, umask=0o022)))


def create_services(
    world: World, folder: Path, processes: Processes, *, path: str = "", sends: bool = False
) -> Services:
    """Create the services of a run. File paths in git are relative to ``path``. Reads and sends nothing yet.

    ``sends`` says that the run will send files, so that it loads what that takes before it needs it.
    """
    from unmoor.adapters import registry
    from unmoor.adapters.engine import DockerEngine
    from unmoor.adapters.forge import GitHubForge, GitHubRules
    from unmoor.adapters.github import Pace
    from unmoor.adapters.pep517 import Pep517
    from unmoor.adapters.scanners import Syft
    from unmoor.adapters.sigstore import Sigstore
    from unmoor.adapters.uv_resolver import UvResolver

    shell = LocalShell(processes=processes)
    git = GitCheckout(folder, shell, world.remote, path=path, environ=os.environ, patience=world.patience)

    def open_key(key: str) -> KeySigner:
        from unmoor.adapters import keys  # a run without a key does without

        return keys.open_key(key, shell, git.folder)

    building = replace(shell, umask=0o022)
    clock, http = _clock(world, processes), open_http(world)
    pace = Pace(world.forge.api, clock)
    uv = _uv(world, building)
    signing = Sigstore.at(world.signing, http, clock, os.environ) if world.signing else None
    signs = signing is not None and signing.signer.credential().present
    system = this_system()
    engine = DockerEngine(shell=shell, processes=processes, system=system, patience=world.patience)
    return Services(
        system=system,
        git=git,
        shell=shell,
        clock=clock,
        backend=Pep517(shell=building, uv=uv, meanwhile=partial(_load_what_sends, signs=signs) if sends else None),
        environments=uv,
        resolver=UvResolver(uv=uv, http=http),
        index=_index(world.index, http, clock),
        staging=_index(world.staging, http, clock) if world.staging else None,
        forge=GitHubForge(world.forge, http, clock, pace),
        rules=GitHubRules(world.forge, http, clock, pace),
        engine=engine,
        inventory=Syft(shell=building, environ=uv.environ),
        # Once per name: the stages of a run share a registry's tokens.
        registry=cache(lambda name: registry.open_registry(name, world, http, clock)),
        packages=cache(lambda name: registry.packages_of(name, world, http, clock, pace)),
        keys=open_key,
        signing=signing,
        scanners=_scanners(world, uv),
        deployers=open_deployers(world, git=git, shell=shell, http=http, clock=clock, engine=engine),
    )


def open_listed(world: World, folder: Path, processes: Processes, *, path: str = "") -> ListedServices:
    """Return what reads the surfaces of many releases of a world, and asks each question once. Sends nothing yet."""
    from unmoor.adapters.forge.listed import ListedForge
    from unmoor.adapters.git.listed import ListedCheckout
    from unmoor.adapters.index.listed import ListedIndex
    from unmoor.adapters.sigstore import Sigstore

    http, clock = open_http(world), _clock(world, processes)
    return ListedServices(
        git=ListedCheckout(
            folder,
            LocalShell(processes=processes),
            world.remote,
            path=path,
            environ=os.environ,
            patience=world.patience,
        ),
        index=ListedIndex(world.index, http, clock),
        forge=ListedForge(world.forge, http, clock),
        signing=Sigstore.at(world.signing, http, clock, os.environ) if world.signing else None,
    )


def open_listed_registry(name: str, world: World, processes: Processes) -> Registry:
    """Return the registry of an image, which reads each tag once. Sends nothing yet. Raises `ConfigError`."""
    from unmoor.adapters.registry import place_of
    from unmoor.adapters.registry.listed import ListedRegistry
    from unmoor.artifacts import oci

    image = oci.ImageName.parse(name)
    place = place_of(image.host, world)
    return ListedRegistry(place, image.repository, open_http(world), _clock(world, processes))


def open_lists(processes: Processes) -> UvLists:
    """Return what compiles lists of versions and hashes."""
    from unmoor.adapters.process.shell import LocalShell
    from unmoor.adapters.requirement_lists import UvLists  # only one command compiles any
    from unmoor.adapters.uv import Uv

    return UvLists(uv=Uv(shell=LocalShell(processes=processes)))


def open_index(world: World, processes: Processes) -> Index:
    """The index of a world, for a command that needs nothing else of it."""
    return _index(world.index, open_http(world), _clock(world, processes))


def open_space(world: World, repo: str, processes: Processes) -> SpaceHub | None:
    """A Space of a world, for a command that needs nothing else of it. ``None`` if the world has no hub."""
    from unmoor.adapters.hub import HubSpace

    return HubSpace(world.space, repo, open_http(world), _clock(world, processes)) if world.space else None


def open_writer(
    checkout: GitCheckout, processes: Processes, *, remote: str, environ: Mapping[str, str] | None = None
) -> GitWriter:
    """Return what commits, tags and pushes from a checkout, with the user's environment unless another is given."""
    from unmoor.adapters.git.writing import CheckoutWriter  # only one command writes

    environ = os.environ if environ is None else environ
    return CheckoutWriter(checkout=checkout, shell=LocalShell(processes=processes), environ=environ, remote=remote)


def open_lock(processes: Processes) -> ProjectLock:
    """Return what updates the lock of a project, with the user's environment."""
    from unmoor.adapters.project_lock import UvLock

    return UvLock(shell=LocalShell(processes=processes), environ=os.environ)


def _forge(world: World, processes: Processes) -> tuple[ForgePlace, BoundedSession, Clock]:
    """What each part of the forge is made of: where it is, the connection, and the clock."""
    return world.forge, open_http(world), _clock(world, processes)


def open_pull_requests(world: World, processes: Processes) -> PullRequests:
    """Return the pull requests of a world's repository. Sends nothing yet."""
    from unmoor.adapters.forge.pull_requests import GitHubPullRequests

    return GitHubPullRequests(*_forge(world, processes))


def open_issues(world: World, processes: Processes) -> Issues:
    """Return the issues of a world's repository. Sends nothing yet."""
    from unmoor.adapters.forge.issues import GitHubIssues

    return GitHubIssues(*_forge(world, processes))


def open_workflow_runs(world: World, processes: Processes) -> WorkflowRuns:
    """Return the workflow runs of a world's repository. Sends nothing yet."""
    from unmoor.adapters.forge.workflow_runs import GitHubWorkflowRuns

    return GitHubWorkflowRuns(*_forge(world, processes))


def open_comments(world: World, processes: Processes) -> Comments:
    """Return the comments of a world's repository. Sends nothing yet."""
    from unmoor.adapters.forge.comments import GitHubComments

    return GitHubComments(*_forge(world, processes))


def open_run_history(world: World, processes: Processes, *, budget: int) -> RunHistory:
    """Return the past runs of a world's repository, to read with so many requests. Sends nothing yet."""
    from unmoor.adapters.forge.run_history import GitHubRunHistory
    from unmoor.adapters.http.urls import may_be_loopback

    # No proxy is asked about this machine anyway, and to look for one is a third of a request's work.
    http = open_http(world, direct=may_be_loopback(world.forge.api) and world.forge.api.startswith("http:"))
    clock = _clock(world, processes)
    return GitHubRunHistory(world.forge, http, clock, budget=budget, check=processes.check)


def open_leftovers(world: World, processes: Processes) -> Leftovers:
    """Return the artifacts and caches of a world's repository. Sends nothing yet."""
    from unmoor.adapters.forge.leftovers import GitHubLeftovers

    return GitHubLeftovers(*_forge(world, processes))


def open_branch_files(world: World, processes: Processes, branch: str, *, cache: Path | None = None) -> RecordFiles:
    """Return the records on a branch of a world's repository. ``cache`` keeps what was read. Sends nothing yet."""
    from unmoor.adapters.forge.branch_files import GitHubBranchFiles
    from unmoor.metrics.records import BY_FOLDER

    clock = _clock(world, processes)
    return GitHubBranchFiles(world.forge, open_http(world), clock, branch=branch, folders=BY_FOLDER, cache=cache)


def open_rules(world: World, processes: Processes) -> RepositoryRules:
    """Return the rules of a world's repository. Sends nothing yet."""
    from unmoor.adapters.forge import GitHubRules
    from unmoor.adapters.github import Pace

    clock = _clock(world, processes)
    return GitHubRules(world.forge, open_http(world), clock, Pace(world.forge.api, clock))


def _uv(world: World, shell: LocalShell) -> Uv:
    from unmoor.adapters.uv import Uv

    return Uv(shell=shell, dependencies=world.dependencies, patience=world.patience)


def _scanners(world: World, uv: Uv) -> Scanners:
    """The scanners of a world, which ask only the service that the world names."""
    from unmoor.adapters.scanners import FirstAnswer, InstalledScanner

    if world.scanning is None:
        return Scanners()
    return Scanners(
        dependencies=FirstAnswer.of(uv, world.scanning.service, patience=world.patience),
        images=None if world.rehearsal else InstalledScanner(shell=uv.shell, environ=uv.environ),
    )


_SENDS = ("twine.package", "twine.repository", "github.Auth", "github.Repository", "github.GitRelease")
_SIGNS = ("sigstore.sign", "sigstore.verify", "pypi_attestations")


def _load_what_sends(*, signs: bool = False) -> None:
    """Import twine and the parts of PyGithub that write, and what signs: 0.5 s that stages would otherwise wait for."""
    for name in (*_SENDS, *(_SIGNS if signs else ())):
        # What cannot be imported fails where it is used, with a message.
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _index(place: IndexPlace, http: BoundedSession, clock: Clock) -> Index:
    from unmoor.adapters.index import PackageIndex
    from unmoor.adapters.index.trusted import TrustedPublishing

    trusted = TrustedPublishing(place=place, http=http, clock=clock, environ=os.environ)
    return PackageIndex(place, http, clock, trusted)
