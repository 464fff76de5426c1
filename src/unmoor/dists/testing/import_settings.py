"""Apply the settings that begin with ``import-`` to the modules and entry points of a file."""

from __future__ import annotations

from collections.abc import Callable

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.config.groups import ImportOptions
from unmoor.dists.testing.judgement import NeedsExtra, not_here, untested
from unmoor.dists.testing.parts import DistUnderTest, Part, setting_of
from unmoor.dists.testing.probe import ProbeResult
from unmoor.errors import ConfigError
from unmoor.products import Result
from unmoor.util.text import clean


def assign(
    what: DistUnderTest, options: ImportOptions
) -> tuple[list[Part], list[NeedsExtra], list[Part], list[Result]]:
    """Divide the parts by the settings.

    Returns those that a plain install should import, those with assigned extras, those of another platform, and the
    results of what is left out.
    """
    plain: list[Part] = []
    assigned: list[NeedsExtra] = []
    elsewhere: list[Part] = []
    left_out: list[Result] = []
    for part in what.parts:
        marker = setting_of(part, options.markers, "")
        if any(part.is_named(key) for key in options.skip):
            left_out.append(untested(what, part, "left out by import-skip"))
        elif marker and not Marker(marker).evaluate(dict(what.environment)):
            elsewhere.append(part)
            left_out.append(not_here(what, part, f"import-markers says {clean(marker)}", marker))
        elif extras := setting_of(part, options.extras, ()):
            assigned.append(NeedsExtra(part=part, answer=ProbeResult(name=part.name), extras=extras))
        else:
            plain.append(part)
    return plain, assigned, elsewhere, left_out


def check_settings(what: DistUnderTest, options: ImportOptions, warn: Callable[[str], None]) -> None:
    """Raise `ConfigError` for an unknown extra, which installers ignore. Warn about a key that means nothing here."""
    if not what.file.is_wheel:
        return  # the wheel's test reports it
    known = {canonicalize_name(extra) for extra in what.extras}
    for key, extras in options.extras.items():
        for extra in extras:
            if canonicalize_name(extra) not in known:
                raise ConfigError(
                    f"import-extras assigns {clean(extra)!r} to {clean(key)}, which is not an extra of the project",
                    where="tool.unmoor.import-extras",
                    next_step=advice.NAME_AN_EXTRA(known=", ".join(sorted(known)) or "it has none"),
                )
    named = (("extras", options.extras), ("markers", options.markers), ("skip", options.skip))
    for setting, keys in named:
        for key in keys:
            if not any(part.is_named(key) for part in what.parts):
                warn(
                    f"import-{setting} names {clean(key)}, which has no effect: {what.file.name} has no such module at"
                    " its top, and no entry point in it"
                )
