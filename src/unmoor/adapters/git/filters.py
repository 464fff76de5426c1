"""Filters that a checkout's own configuration defines: git would run their programs to compare files.

Git makes ``.git/config`` itself when it clones, but a checkout may come from an archive or from another job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from unmoor.adapters.git.program import GitProgram
from unmoor.util.values import replace

_PROGRAMS: Final = ("clean", "smudge", "process")
# What `git lfs install --local` sets.
_OF_LFS: Final = {
    "clean": {"git-lfs clean -- %f"},
    "smudge": {"git-lfs smudge -- %f", "git-lfs smudge --skip -- %f"},
    "process": {"git-lfs filter-process", "git-lfs filter-process --skip"},
}
_TRUSTED: Final = frozenset({"system", "global", "command"})
_SUBMODULE: Final = "160000"


def without_own_filters(git: GitProgram, folder: Path) -> dict[str, str]:
    """Return variables for git, with which no filter runs that only the checkout itself or a submodule defines.

    A filter that the user has configured as well runs as the user has configured it, and git-lfs as it installs itself.
    """
    settings: dict[str, str] = {}
    for place in (folder, *_submodules(git, folder)):
        settings |= _replaced(git, place)
    return _variables(git, settings)


def without_user_filters(git: GitProgram, folder: Path) -> dict[str, str]:
    """Return variables for git, with which no filter of the user runs, except git-lfs."""
    settings: dict[str, str] = {}
    for _, name, _ in _settings(replace(git, own=False), folder):
        driver = name.removeprefix("filter.").rpartition(".")[0]
        if driver != "lfs":
            settings |= {name: "", f"filter.{driver}.required": "false"}
    return _variables(git, settings)


def _variables(git: GitProgram, settings: Mapping[str, str]) -> dict[str, str]:
    # Not as options: the name of a filter may contain "=".
    first = int(git.environ.get("GIT_CONFIG_COUNT") or 0)
    variables = {"GIT_CONFIG_COUNT": str(first + len(settings))} if settings else {}
    for number, (name, value) in enumerate(settings.items(), first):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _replaced(git: GitProgram, folder: Path) -> dict[str, str]:
    """The settings of a checkout's own filters, with the values that they shall have."""
    trusted: dict[str, str] = {}
    own: dict[str, set[str]] = {}
    for scope, name, value in _settings(git, folder):
        if scope in _TRUSTED:
            trusted[name] = value
        else:
            own.setdefault(name, set()).add(value)
    found = {}
    for name, values in own.items():
        driver, _, key = name.removeprefix("filter.").rpartition(".")
        if driver == "lfs" and values <= _OF_LFS.get(key, values):
            continue
        found[name] = trusted.get(name, "")
        # Without its program a required filter would fail.
        found[f"filter.{driver}.required"] = trusted.get(f"filter.{driver}.required", "false")
    return found


def _settings(git: GitProgram, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the scope, the name and the value of every setting that names a filter's program."""
    out = git.run("config", "-z", "--show-scope", "--includes", "--list", cwd=folder).out
    parts = iter(out.split("\0"))
    for scope, entry in zip(parts, parts, strict=False):
        name, _, value = entry.partition("\n")
        if name.startswith("filter.") and name.rpartition(".")[2] in _PROGRAMS:
            yield scope, name, value


def _submodules(git: GitProgram, folder: Path) -> Iterator[Path]:
    """Yield the folders of submodules that are checked out: git compares their files too."""
    for entry in git.run("ls-files", "-z", "--stage", cwd=folder).out.split("\0"):
        mode, _, rest = entry.partition(" ")
        if mode == _SUBMODULE:
            place = folder / rest.partition("\t")[2]
            if (place / ".git").exists():
                yield place
                yield from _submodules(git, place)
