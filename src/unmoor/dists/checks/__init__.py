"""Check built files before upload: find what PyPI, twine or an installer would refuse.

Each module covers one kind of rule and declares its rules. ``docs/reference/checks.md`` lists them all. The index of
the rehearsal's local world shares no code with these checks: a test feeds the same files to both.

The stage that checks files uses this package. Begin with `examine`, which opens a file and runs every check on it.
`rules` defines a rule.
"""

from unmoor.dists.checks import (
    archives,
    commands,
    description,
    layout,
    licences,
    metadata,
    names,
    open_archive,
    portable,
    release,
    sizes,
    tars,
    tracked,
    versions,
    wheels,
    zips,
)
from unmoor.dists.checks.archives import Limits
from unmoor.dists.checks.examine import DistFindings, Examiner
from unmoor.dists.checks.rules import By, CheckRule, Problem

__all__ = ["RULES", "By", "CheckRule", "DistFindings", "Examiner", "Limits", "Problem"]

RULES: tuple[CheckRule, ...] = (
    *open_archive.RULES,
    *names.RULES,
    *sizes.RULES,
    *metadata.RULES,
    *description.RULES,
    *licences.RULES,
    *archives.RULES,
    *zips.RULES,
    *wheels.RULES,
    *layout.RULES,
    *portable.RULES,
    *commands.RULES,
    *tars.RULES,
    *tracked.RULES,
    *release.RULES,
    *versions.RULES,
)
