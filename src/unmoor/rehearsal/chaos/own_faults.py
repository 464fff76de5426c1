"""Faults that are put in place before the first run: of the checkout, the built files, the servers and the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import remove
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.left_out import leave_out_data
from unmoor.rehearsal.chaos.lost_platform import lose_platform
from unmoor.rehearsal.chaos.other_versions import release_broken, release_higher, tag_of
from unmoor.rehearsal.chaos.run_git import run_git
from unmoor.rehearsal.chaos.sent_files import send_before, send_junk, take_name
from unmoor.rehearsal.faults.injection import START, Injection, Plan
from unmoor.rehearsal.invariants.effects import version_of
from unmoor.rehearsal.invariants.evidence import Expected

SECOND_RUN = "second-run"


def of_plan(plan: Plan) -> tuple[Injection, ...]:
    """Return the injections of a plan that are put in place before the run."""
    return tuple(each for each in plan.injections if isinstance(each, Injection) and each.service == START)


def change(injection: Injection, folder: WorldFolder, expected: Expected) -> bool:
    """Put a fault in place. Return whether there was anything to do it to.

    ``expected`` is what a release without faults ends with.
    """
    in_folder = _OF_FOLDER.get(injection.fault)
    return in_folder(folder) if in_folder is not None else _OF_RELEASE[injection.fault](folder, expected)


def runs_beside(injections: tuple[Injection, ...]) -> int:
    """Return how many more runs are started beside the first."""
    return sum(each.fault == SECOND_RUN for each in injections)


def _make_dirty(folder: WorldFolder) -> bool:
    """Change every file of the project at the top, and add one."""
    for path in sorted(folder.checkout.iterdir()):
        if path.is_file() and not path.is_symlink():
            with path.open("ab") as stream:
                stream.write(b"\n# changed\n")
    write_atomic(folder.checkout / "untracked-by-chaos.txt", b"changed\n")
    return True


def _make_shallow(folder: WorldFolder) -> bool:
    """Write down that the history before the commit of HEAD is not there."""
    write_atomic(folder.checkout / ".git" / "shallow", run_git(folder.checkout, "rev-parse", "HEAD").encode() + b"\n")
    return True


def _add_version_tag(folder: WorldFolder) -> bool:
    """Give the released commit a tag of a candidate of its version, too. The command names the other tag.

    A candidate has none: one more prerelease would be the release before it, which its notes name.
    """
    version = version_of(folder.tag)
    if version is None or version.is_prerelease:
        return False
    tag = tag_of(folder.tag, str(version), f"{version.base_version}rc9999")
    run_git(folder.checkout, "tag", tag, f"refs/tags/{folder.tag}^{{commit}}")
    return True


def _add_odd_tags(folder: WorldFolder) -> bool:
    """Give the released commit tags that are no versions, and whose names are commands for a shell."""
    for name in (f"{folder.tag}$(touch${{IFS}}pwned)", f"{folder.tag};id", "vnext"):
        run_git(folder.checkout, "tag", name, f"refs/tags/{folder.tag}^{{commit}}")
    return True


def _lose_files(folder: WorldFolder) -> bool:
    """Remove the built files, and leave the documents that name them."""
    dists = folder.run / "dists"
    held = dists.is_dir()
    if held:
        remove(dists)
    return held


def _tamper(folder: WorldFolder) -> bool:
    """Change a byte in the middle of the last built file."""
    built = sorted((folder.run / "dists").glob("*"))
    for path in built[-1:]:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        write_atomic(path, bytes(data))
    return bool(built)


_OF_FOLDER: Final[Mapping[str, Callable[[WorldFolder], bool]]] = {
    "dirty-tree": _make_dirty,
    "shallow-clone": _make_shallow,
    "two-tags": _add_version_tag,
    "odd-tag": _add_odd_tags,
    "files-lost": _lose_files,
    "tampered-dist": _tamper,
    "sent-before": send_before,
    "name-taken": take_name,
    "junk-dependency": send_junk,
    SECOND_RUN: lambda _folder: True,  # it is started beside the first run
}
_OF_RELEASE: Final[Mapping[str, Callable[[WorldFolder, Expected], bool]]] = {
    "data-left-out": leave_out_data,
    "higher-version": release_higher,
    "platform-missing": lose_platform,
    "child-missing": release_broken,
}
CHANGES: Final = frozenset({*_OF_FOLDER, *_OF_RELEASE})
"""The names of the faults that are carried out here."""
