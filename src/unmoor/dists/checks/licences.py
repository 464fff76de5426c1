"""Licence checks: the named files are in the archive, and the licence is declared in one way only (PEP 639)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from unmoor.dists.checks.metadata import CheckedMetadata
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation

MISSING = CheckRule(name="licence-missing", refuses="a License-File that is not in the archive")
BOTH = CheckRule(name="licence-both", refuses="both License and License-Expression")
CLASSIFIER = CheckRule(
    name="licence-classifier",
    refuses="licence classifiers in addition to a License-Expression",
    by=By.UNMOOR,
    warns=True,
)
UNDECLARED = CheckRule(
    name="licence-undeclared",
    refuses="License-File in metadata older than 2.4, which twine does not send",
    by=By.UPLOADER,
    warns=True,
)
RULES = (MISSING, BOTH, CLASSIFIER, UNDECLARED)


def check_licences(metadata: CheckedMetadata) -> Iterator[Problem]:
    """Check the licence fields of the metadata."""
    raw = metadata.raw
    if raw.get("license") and raw.get("license_expression"):
        yield violation(BOTH, "License and License-Expression are both set: keep License-Expression")
    classifiers = [each for each in raw.get("classifiers", ()) if each.startswith("License ::")]
    if classifiers and raw.get("license_expression"):
        yield violation(CLASSIFIER, f"License-Expression is set, and so is the classifier {classifiers[0]!r}")
    if metadata.undeclared:
        version = raw.get("metadata_version", "")
        yield violation(UNDECLARED, f"License-File is not a field of metadata version {version}, so it is not sent")


def check_licence_files(metadata: CheckedMetadata, folder: str, members: Collection[str]) -> Iterator[Problem]:
    """Check that every licence file is in the archive, below ``folder``."""
    for name in metadata.licence_files:
        if f"{folder}/{name}" not in members:
            yield violation(MISSING, f"the metadata names the licence file {name}, but {folder}/{name} is missing")
