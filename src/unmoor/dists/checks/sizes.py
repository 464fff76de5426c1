"""Sizes: of one file, and of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unmoor.dists.checks.archives import Limits
from unmoor.dists.checks.rules import CheckRule, Problem, violation
from unmoor.products import File

FILE = CheckRule(name="file-size", refuses="a file longer than `max-file-size`")
PROJECT = CheckRule(
    name="project-size", refuses="files that are longer together than a project may be (10 GiB)", warns=True
)
TWINS = CheckRule(name="file-twin", refuses="the same bytes under two names")
RULES = (FILE, PROJECT, TWINS)

# What PyPI gives a project as long as it does not ask for more.
PROJECT_LIMIT = 10 << 30
_MIB = 1 << 20


def mib(size: int) -> str:
    """Bytes in words."""
    return f"{size / _MIB:.1f} MiB"


def check_file(file: File, limits: Limits) -> Iterator[Problem]:
    """Judge the size of one file."""
    if file.size > limits.file:
        yield violation(
            FILE,
            f"it has {mib(file.size)}, and the index takes {mib(limits.file)}: make it smaller, or ask the index for"
            " more and set max-file-size",
        )


def check_files(files: Iterable[File]) -> Iterator[Problem]:
    """Judge what only shows when all files are seen together."""
    seen: dict[str, str] = {}
    total = 0
    for file in files:
        total += file.size
        if file.sha256 in seen:
            yield violation(TWINS, f"{file.name} holds the same bytes as {seen[file.sha256]}")
        seen.setdefault(file.sha256, file.name)
    if total > PROJECT_LIMIT:
        yield violation(PROJECT, f"the files have {mib(total)} together, and a project may have {mib(PROJECT_LIMIT)}")
