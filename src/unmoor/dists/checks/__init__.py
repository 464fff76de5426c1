"""Whether a built file is fit for an index: what PyPI, twine or an installer would refuse is found here first.

One module a kind of rule; each declares its rules, and ``docs/reference/checks.md`` lists them all. The
judgement of the local world's index shares no code with this: a test feeds the same files to both.

The stage that checks files imports it. Begin with `examine`, which opens a file and asks every module about it;
`rules` says what a rule is.
"""

from unmoor.dists.checks import (
    archives,
    description,
    licences,
    metadata,
    names,
    open_archive,
    release,
    sizes,
    tars,
    tracked,
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
    *tars.RULES,
    *tracked.RULES,
    *release.RULES,
)
