"""What the commands of ``unmoor workflows`` share: the project in the work tree, and its files."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from unmoor import advice
from unmoor._version import __version__
from unmoor.ci.github_actions import default_branch
from unmoor.cli.resolve_project import read_sources, remote_repository, resolve_checkout
from unmoor.config.settings import resolve
from unmoor.errors import ConfigError, Refused
from unmoor.filesystem.files import read_regular
from unmoor.project import read_facts
from unmoor.project.files import Files
from unmoor.provenance.release_workflow import LARGEST
from unmoor.util.text import clean
from unmoor.workflows.differences import LOCK
from unmoor.workflows.every import OPTIONAL, ExpectedFile, expected_files, optional_file, ours_of
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.facts import read_facts as read_workflow_facts
from unmoor.workflows.release import RELEASE
from unmoor.workflows.tool_list import PinnedList, lists_of

if TYPE_CHECKING:
    from unmoor.adapters.git.checkout import GitCheckout
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.cli.run_options import TargetOptions


class WorkflowProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project in the work tree: the top of its repository, its files by path from there, and what they depend on."""

    top: Path
    checkout: GitCheckout
    facts: WorkflowFacts
    expected: tuple[ExpectedFile, ...]
    lists: tuple[PinnedList, ...]

    def read(self, path: str) -> bytes | None:
        """A file of the work tree by its path from the top; ``None`` if there is none.

        Raises `Refused` for what is no file, and for a link, which writing would replace.
        """
        if (self.top / path).is_symlink():
            raise Refused("it is a link", where=path, next_step=advice.CORRECT_WORKFLOW())
        return _read(self.top, path)

    def named(self, names: Sequence[str]) -> tuple[ExpectedFile, ...]:
        """The files of these names; without names those that unmoor wrote, or all if there are none.

        The optional ones count only if they are named, or there. Raises `ConfigError` for a name that no file has, or
        if the settings have nothing for an optional file to do, and `Refused` as `read` does.
        """
        if not names:
            return ours_of(self.facts, self.read) or self.expected
        known = {Path(each.path).stem: each for each in self.expected}
        known.setdefault(RELEASE, self.expected[0])  # its file may have another name
        optional = {Path(path).stem: path for path in OPTIONAL}
        stems = [Path(name).name.removesuffix(".yaml").removesuffix(".yml") for name in names]
        if unknown := [name for name in stems if name not in known and name not in optional]:
            raise ConfigError(
                f"unmoor writes no file {clean(unknown[0], 60)!r}; it writes {', '.join(sorted((*known, *optional)))}",
                next_step=advice.NAME_WORKFLOW_FILE(),
            )
        return tuple(
            known[name] if name in known else optional_file(self.facts, optional[name]) for name in dict.fromkeys(stems)
        )

    @property
    def listed(self) -> tuple[ExpectedFile, ...]:
        """Every file, the optional ones as well if the settings have something for them to do."""
        optional = []
        for path in OPTIONAL:
            with contextlib.suppress(ConfigError):
                optional.append(optional_file(self.facts, path))
        return (*self.expected, *optional)

    @property
    def lock(self) -> bytes | None:
        """The lock of actions, which only GitHub's own command writes."""
        return self.read(LOCK)


def open_project(target: TargetOptions, processes: Processes) -> WorkflowProject:
    """Read the project and its settings in the work tree, and what its workflows would be.

    Raises `ConfigError` for wrong settings, `Refused` if there is no project or its remote is not on GitHub.
    """
    sources = read_sources(target.config)
    checkout = resolve_checkout(target, sources, processes, tag=None)
    top, path = checkout.folder, checkout.path
    folder = top / path if path else top
    files = Files(lambda name: _read(folder, name), lambda: _names(checkout, folder))
    settings = resolve(files.read, config=sources.config, environ=sources.environ, below=path).settings
    require_github(checkout, settings.repository)
    name = settings.project or read_facts(files.read).name
    facts = read_workflow_facts(
        files,
        settings,
        project=name,
        path=path,
        default_branch=default_branch(sources.environ) or checkout.default_branch() or "main",
        top=Files(lambda file: _read(top, file)),
    )
    return WorkflowProject(
        top=top,
        checkout=checkout,
        facts=facts,
        expected=tuple(expected_files(facts)),
        lists=()
        if settings.workflows.tool == "checkout"
        else lists_of(tool_version=__version__, builds_wheels=bool(facts.wheels), extras=facts.extras),
    )


def _read(folder: Path, name: str) -> bytes | None:
    """Read a file of the work tree. Raises `Refused` if it is no regular file, or a link is in the way."""
    try:
        return read_regular(folder / name, LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        raise Refused("it is a directory", where=str(folder / name), next_step=advice.CORRECT_WORKFLOW()) from error


def _names(checkout: GitCheckout, folder: Path) -> tuple[str, ...]:
    """The files of the project: those of the last commit, and new ones in its own folder."""
    head = checkout.head()
    known = checkout.files(head) if head is not None else ()
    new = (each.name for each in sorted(folder.iterdir()) if each.is_file())
    return tuple(dict.fromkeys((*known, *new)))


def require_github(checkout: GitCheckout, repository: str) -> None:
    """Raise `Refused` if the remote is on another forge. Without one, nobody knows the forge yet."""
    remote = checkout.remote()
    if remote is None or repository or remote_repository(checkout):
        return
    raise Refused(
        f"the git remote {clean(remote)} is not on GitHub, and these workflows are for GitHub Actions",
        where=str(checkout.folder),
        next_step=advice.NAME_REPOSITORY(),
    )
