"""Judge what failed to import: a fault of the file, a part that needs an extra, or one of another platform."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from unmoor import advice
from unmoor.advice import NextStep, join
from unmoor.config.groups import ImportOptions
from unmoor.dists import inspect
from unmoor.dists.systems import includes
from unmoor.dists.testing.parts import DistUnderTest, Part, setting_of
from unmoor.dists.testing.platforms import leg_of_marker, marker_of_absent, only_on, supplier_elsewhere
from unmoor.dists.testing.probe import ProbeResult
from unmoor.errors import CheckFailed
from unmoor.products import Result, Verdict
from unmoor.util.text import clean


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A part that must import, and does not. ``what`` is the message; ``missing`` is the module that it lacks.

    ``marker`` is the one for the platforms that have what it lacks, empty if that may be every platform.
    """

    part: Part
    what: str
    missing: str = ""
    marker: str = ""


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """What only other platforms have: ``needs`` is the text for people, ``marker`` the one for those platforms."""

    needs: str
    marker: str


class NotHere(msgspec.Struct, frozen=True, kw_only=True):
    """A part that only another platform can import, because of what is missing here."""

    part: Part
    lack: Lack


class NeedsExtra(msgspec.Struct, frozen=True, kw_only=True):
    """A part that a plain install does not import, but an extra may. ``extras`` are the ones that it has to have."""

    part: Part
    answer: ProbeResult
    extras: tuple[str, ...] = ()

    @property
    def missing(self) -> str:
        """The module of another project that it lacks, empty if that is unknown."""
        return self.answer.missing


class NeedsHost(msgspec.Struct, frozen=True, kw_only=True):
    """A plug-in whose host program is not installed, and that no extra installs."""

    part: Part
    missing: str


def judge(
    what: DistUnderTest, part: Part, answer: ProbeResult, options: ImportOptions
) -> Fault | NotHere | NeedsExtra | NeedsHost:
    """Judge a part that a plain install does not import. The order of the questions decides.

    1. A module of the project itself is missing: a fault.
    2. Something is missing that only another platform has: not for this platform, unless the project says that it is.
    3. It is what the project is for: a fault. No extra excuses it.
    4. Otherwise an extra may help, or the program that loads a plug-in.
    """
    fault = Fault(part=part, what=f"{part.fails}: {answer.error}", missing=answer.missing)
    if answer.missing and what.is_own(answer.missing):
        return Fault(part=part, what=fault.what)
    if lack := missing_here(what, answer):
        if _should_run_here(what, part, options):
            return Fault(part=part, what=f"{fault.what}; it needs {lack.needs}", marker=lack.marker)
        return NotHere(part=part, lack=lack)
    if part.is_main:
        return fault
    if part.extras or what.extras:
        return NeedsExtra(part=part, answer=answer, extras=part.extras)
    return NeedsHost(part=part, missing=answer.missing) if part.is_plugin and answer.missing else fault


def missing_here(what: DistUnderTest, answer: ProbeResult) -> Lack | None:
    """What an import needs and only other platforms have; ``None`` if that is not why it fails."""
    if answer.absent:
        needs = f"{answer.absent} of the standard library, which Python does not have here"
        return Lack(needs=needs, marker=marker_of_absent(answer.absent, what.environment))
    if not answer.missing:
        return None
    if other := supplier_elsewhere(answer.missing, what.metadata.requires, what.environment):
        needs = f"{clean(answer.missing)}, which comes from {clean(str(other))}"
        # A marker about an extra says nothing of a module.
        usual = marker_of_absent(answer.missing, what.environment)
        marker = str(other.marker).replace('"', "'")
        return Lack(needs=needs, marker=usual if "extra" in marker else clean(marker))
    system, title = only_on(answer.missing, what.environment)
    needs = f"{answer.missing}, which exists only on {title}"
    return Lack(needs=needs, marker=f"sys_platform == '{system}'") if system else None


def _should_run_here(what: DistUnderTest, part: Part, options: ImportOptions) -> bool:
    """Whether the project says that a part runs on this platform: by the setting, or for what it is for as a whole."""
    if setting_of(part, options.markers, ""):
        return True  # one that is not true here was left out before
    if not part.is_main:
        return False
    of_platform = what.file.is_wheel and all(
        tag.platform != "any" for tag in inspect.parse_filename(what.file.name).tags
    )
    return of_platform or includes(what.environment.get("sys_platform", ""), what.metadata.classifiers)


def refusal(what: DistUnderTest, faults: Iterable[Fault]) -> CheckFailed:
    """The error for all faults of a file, with a next step that names the settings that give way."""
    faults = tuple(faults)
    first = faults[0].part
    steps: list[NextStep] = []
    if missing := sorted({clean(fault.missing) for fault in faults if fault.missing}):
        steps.append(advice.DECLARE_DEPENDENCY(modules=", ".join(missing)))
    if other := next((fault for fault in faults if fault.marker), None):
        steps.append(advice.SAY_WHERE_IT_RUNS(setting=marker_setting(other.part, other.marker)))
    message = f"{what.file.name}, installed: " + "; ".join(fault.what for fault in faults)
    if not steps and all(fault.part.is_main for fault in faults):
        return CheckFailed(message, next_step=advice.CORRECT_PROJECT().then(advice.LEAVE_MODULE_OUT()))
    settings = [f'import-skip = ["{clean(first.module)}"]']
    if extra := _likely_extra(what, faults[0].missing):
        settings.insert(0, f'import-extras = {{ {first.key} = ["{clean(extra)}"] }}')
    optional = advice.MARK_OPTIONAL(module=clean(first.module), settings=" or ".join(settings))
    return CheckFailed(
        message,
        next_step=join([*(steps or [advice.CORRECT_CODE()]), optional, advice.RELEASE_CORRECTED()]),
    )


def marker_setting(part: Part, marker: str) -> str:
    """The setting that says for which platforms a part is, as TOML."""
    return f'import-markers = {{ {part.key} = "{marker}" }}'


def _likely_extra(what: DistUnderTest, missing: str) -> str:
    """The extra that installs a missing module, or else the first one; empty if the project has none."""
    naming = (extra for extra in what.extras if what.names(extra, missing))
    return next(naming, next(iter(what.extras), ""))


def passed(what: DistUnderTest, part: Part, detail: str) -> Result:
    """Report that a part was imported."""
    return Result(name=f"{what.file.name}: {part.result_name}", verdict=Verdict.PASSED, detail=detail)


def untested(what: DistUnderTest, part: Part, why: str) -> Result:
    """Report that a part was not tested."""
    return Result(name=f"{what.file.name}: {part.result_name}", verdict=Verdict.NOT_TESTED, detail=why)


def not_here(what: DistUnderTest, part: Part, why: str, marker: str) -> Result:
    """Report that a part is not tested on this platform, and which job would test what the marker is for."""
    leg = leg_of_marker(marker)
    return untested(what, part, f"not tested on this platform: {why}" + (f"; {leg} would test it" if leg else ""))


def without(missing: str) -> str:
    """Say that a plain install lacks something."""
    return f"needs {clean(missing) or 'something'}, which a plain install does not include"
