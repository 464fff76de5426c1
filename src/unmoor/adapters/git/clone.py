"""Clone a local repository, and check out a commit in the clone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.adapters.git.program import GitProgram, reason
from unmoor.errors import Refused, ToolMissing, Unknown
from unmoor.filesystem.layout import NULL_OF_GIT
from unmoor.util.text import clean, list_some

NO_FILTER = ("filter.lfs.process=", "filter.lfs.required=false")
"""Git settings that keep a checkout from fetching large files.

They are fetched afterwards, from the local checkout first, and one error names all that are missing.
"""

_LINK: Final = "120000"
KEPT: Final = (
    *("-c", "core.autocrlf=false"),
    *("-c", "core.eol=lf"),
    *("-c", "core.symlinks=true"),
    *("-c", f"core.attributesFile={NULL_OF_GIT}"),
)
"""Options of ``git clone`` that stay in the clone, for whoever works in it with other settings."""
WITHOUT_USER: Final = (
    *("core.autocrlf=false", "core.eol=lf", "core.symlinks=true"),
    *(f"core.attributesFile={NULL_OF_GIT}", "init.templateDir=", "clone.defaultRemoteName=origin"),
    *("submodule.recurse=false", "fetch.fsckObjects=false", "transfer.fsckObjects=false"),
)
"""Settings for calls in a clone that need the user's logins and proxies, but none of what changes the result."""


def clone_of(git: GitProgram, source: Path, into: Path, *, bare: bool = False, one_branch: bool = False) -> None:
    """Clone a local repository without its tags, and without checking anything out.

    ``git`` has settings of its own: the source belongs to somebody whom the user trusts. Uses no template, so no hooks.
    Git hard-links objects if it can and copies them otherwise; ``--local`` would fail if the folder is on another disk.
    Raises `Refused` if ``into`` is not empty.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Refused("cannot clone into a folder that is not empty", where=str(into), next_step=advice.REMOVE_FOLDER())
    into.parent.mkdir(parents=True, exist_ok=True)
    git.run(
        *("clone", "--quiet", "--template=", "--no-tags", *KEPT),
        *(("--bare",) if bare else ("--no-checkout", "--origin", "origin")),
        *(("--single-branch",) if one_branch else ()),
        *("--", str(source), str(into.absolute())),
        cwd=source,
        timeout=600.0,
    )


def write_tags(git_dir: Path, tags: Mapping[str, str]) -> None:
    """Give a fresh clone its tags: names, with the objects that they name.

    A repository can have tens of thousands. Git writes each into a file of its own, even to delete it, except when it
    clones: then it writes all into one file, as this does. See ``git help pack-refs``.
    """
    packed = git_dir / "packed-refs"
    lines = packed.read_text("utf-8").splitlines(keepends=True) if packed.exists() else []
    # Without the header, which promises an order and peeled tags, git sorts and peels by itself.
    lines = [line for line in lines if not line.startswith(("#", "^"))]
    lines += [f"{target} refs/tags/{name}\n" for name, target in tags.items()]
    packed.write_text("".join(lines), "utf-8", newline="\n")


def check_out(git: GitProgram, folder: Path, commit: str) -> None:
    """Check out a commit in a clone. Raises `Unknown` if files are missing, which git itself only warns about.

    Files are missing in a clone of a partial clone: git would have to fetch them from its remote. Raises `ToolMissing`
    if this machine cannot hold the files: its file system has no links, names are too long for it, or it takes two that
    differ in case for one.
    """
    # "^0", because git would check out a branch that is named after the commit, wherever it points.
    ran = git.run("checkout", "--quiet", "--detach", f"{commit}^0", "--", cwd=folder, timeout=600.0, config=NO_FILTER)
    if "unable to read" in ran.err:
        raise Unknown(
            f"the checkout does not have every file of commit {commit[:12]}: {reason(ran.err)}",
            where=str(folder),
            next_step=advice.COMPLETE_CLONE(),
        )
    merged = _ignores_case(folder)
    if ran.err.strip() or merged:
        _require_whole(git, folder, commit, ran.err, merged=merged)


def _ignores_case(folder: Path) -> bool:
    """Whether the file system of a clone takes names that differ in case for the same one."""
    return (folder / ".GIT").exists()


def _is_lacking(path: Path, mode: str) -> bool:
    """Whether a file is not there, or another kind of file is in the place of a link."""
    return not path.is_symlink() if mode == _LINK else not os.path.lexists(path)


def _require_whole(git: GitProgram, folder: Path, commit: str, output: str, *, merged: bool) -> None:
    """Compare the files with the commit: git ends without an error if it cannot write one. Raises `ToolMissing`.

    ``output`` is what git wrote, and ``merged`` says that names may be one file here. Elsewhere a file that is there is
    taken as it is: git may differ from itself about one that is not in the encoding that an attribute declares.
    """
    fields = iter(git.run("diff-files", "--raw", "-z", "--no-renames", cwd=folder).out.split("\0"))
    differing = ((name, head.split()[0].lstrip(":")) for head, name in zip(fields, fields, strict=False))
    wrong = [(name, mode) for name, mode in differing if merged or _is_lacking(folder / name, mode)]
    if not wrong:
        return
    names = list_some([clean(name) for name, _ in wrong], 3)
    why = f": {reason(output)}" if output.strip() else ""
    if all(mode == _LINK for _, mode in wrong):
        raise ToolMissing(
            f"this machine cannot make the symbolic links of commit {commit[:12]}: {names}{why}",
            where=str(folder),
            next_step=advice.ALLOW_LINKS(),
        )
    if not why:
        why = ": names that differ in case only are one file here"
    raise ToolMissing(
        f"this machine cannot hold every file of commit {commit[:12]}: {names}{why}",
        where=str(folder),
        next_step=advice.RENAME_FOR_ALL_SYSTEMS(),
    )


def fetch_clone(git: GitProgram, address: str, into: Path) -> None:
    """Clone a remote repository with its tags and whole history, without checking anything out. Raises `Unknown`."""
    into.parent.mkdir(parents=True, exist_ok=True)
    git.run(
        *("clone", "--quiet", "--no-checkout", "--template=", "--origin", "origin", *KEPT, "--", address, str(into)),
        cwd=into.parent,
        remote=True,
        timeout=600.0,
    )
