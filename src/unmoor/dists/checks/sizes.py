"""Check the size of each file and of all files together, and find duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unmoor.dists.checks.archives import Limits
from unmoor.dists.checks.rules import CheckRule, Problem, violation
from unmoor.products import File

FILE = CheckRule(name="file-size", refuses="a file larger than `max-file-size`")
PROJECT = CheckRule(
    name="project-size", refuses="files that together exceed the size limit of a project (10 GiB)", warns=True
)
TWINS = CheckRule(name="file-twin", refuses="the same bytes under two names")
RULES = (FILE, PROJECT, TWINS)

# PyPI's default limit for a project, in bytes.
PROJECT_LIMIT = 10 << 30
_MIB = 1 << 20


def mib(size: int) -> str:
    """Format a number of bytes as MiB."""
    return f"{size / _MIB:.1f} MiB"


def check_file(file: File, limits: Limits) -> Iterator[Problem]:
    """Check the size of one file."""
    if file.size > limits.file:
        yield violation(
            FILE,
            f"it has {mib(file.size)}, but the index accepts {mib(limits.file)}: make it smaller, or ask the index for"
            " a higher limit and set max-file-size",
        )


def check_files(files: Iterable[File]) -> Iterator[Problem]:
    """Check all files together: no duplicates, and the total size."""
    seen: dict[str, str] = {}
    total = 0
    for file in files:
        total += file.size
        if file.sha256 in seen:
            yield violation(TWINS, f"{file.name} contains the same bytes as {seen[file.sha256]}")
        seen.setdefault(file.sha256, file.name)
    if total > PROJECT_LIMIT:
        yield violation(PROJECT, f"the files total {mib(total)}, but the limit for a project is {mib(PROJECT_LIMIT)}")
