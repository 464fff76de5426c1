"""Licences: the files that the metadata names, and one way of saying which licence it is (PEP 639)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from unmoor.dists.checks.metadata import CheckedMetadata
from unmoor.dists.checks.rules import CheckRule, Problem, violation

MISSING = CheckRule(name="licence-missing", refuses="a License-File that is not in the archive")
BOTH = CheckRule(name="licence-both", refuses="both License and License-Expression")
CLASSIFIER = CheckRule(name="licence-classifier", refuses="licence classifiers beside a License-Expression", warns=True)
UNDECLARED = CheckRule(
    name="licence-undeclared", refuses="License-File in metadata older than 2.4: twine does not send it", warns=True
)
RULES = (MISSING, BOTH, CLASSIFIER, UNDECLARED)


def check_licences(said: CheckedMetadata) -> Iterator[Problem]:
    """Judge what the metadata says of licences."""
    raw = said.raw
    if raw.get("license") and raw.get("license_expression"):
        yield violation(BOTH, "License and License-Expression are both there: keep the expression")
    classifiers = [each for each in raw.get("classifiers", ()) if each.startswith("License ::")]
    if classifiers and raw.get("license_expression"):
        yield violation(CLASSIFIER, f"beside License-Expression stands the classifier {classifiers[0]!r}")
    if said.undeclared:
        version = raw.get("metadata_version", "")
        yield violation(UNDECLARED, f"License-File is no field of metadata version {version}, and is not sent")


def check_licence_files(said: CheckedMetadata, folder: str, members: Collection[str]) -> Iterator[Problem]:
    """See that every licence file is in the archive, below ``folder``."""
    for name in said.licence_files:
        if f"{folder}/{name}" not in members:
            yield violation(MISSING, f"the metadata names the licence file {name}, and there is no {folder}/{name}")
