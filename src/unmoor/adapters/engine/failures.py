"""Parse the output of a failed build: the line of the Dockerfile, the step, the reason and the last lines.

Engines and builders report a full disk, a killed step and a busy registry only as text. This module reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from unmoor import advice
from unmoor.errors import BuildFailed, Cause, ConfigError, Denied, Unknown, UnmoorError
from unmoor.images.dockerfile import Dockerfile
from unmoor.ports.exit_codes import killed_by
from unmoor.ports.failure import failure as error_of
from unmoor.util.text import clean, indented

LINES_SHOWN = 20
# What builders print, by their version:
#   Dockerfile:12                          the line of the step, above an excerpt (BuildKit 0.9 and later)
#   dockerfile parse error [on ]line 2:    a syntax error
#   > [builder 2/4] RUN false:             the failed step, above its last output
#   Step 3/7 : RUN false                   the legacy builder's steps
#   [1/2] STEP 3/7: RUN false              podman's
_PLACE = re.compile(r"^(?P<file>[^\s:][^:]*):(?P<line>[1-9][0-9]{0,6})$")
_PARSE = re.compile(r"parse error(?: on)? line (?P<line>[1-9][0-9]{0,6}): (?P<reason>.*)")
_STEP = re.compile(r"^\s*> (?P<step>\[.+\] .+?):?$")
_COUNTED = re.compile(r"^(?:Step [0-9]+/[0-9]+ |(?:\[[0-9]+/[0-9]+\] )?STEP [0-9]+/[0-9]+): (?P<step>.+)$")
# Lines that only report progress.
_PROGRESS = re.compile(
    r"#[0-9]+ (?:DONE|CACHED|\[internal\]|\[auth\]|transferring|sha256:|.* done$|building with)|.* done$"
)
# What BuildKit puts before its message.
_PREFIX = re.compile(
    r"(?:failed to solve(?: with frontend \S+)?|rpc error: code = \w+ desc =|failed to create LLB definition)(?:: | )"
)
_ERROR = re.compile(r"^(?:ERROR|error): (?P<reason>.+)$")
_RULER = re.compile(r"^-{3,}$")
_PULL = re.compile(r"load metadata for (?P<image>\S+?):?$")
# What a builder prints if the engine goes away during a build.
_BROKEN = re.compile(
    r"^failed to receive status: |error reading from server: |Cannot connect to the Docker daemon"
    r"|^error during connect: |transport is closing"
)
# How builders report the exit code of a step: BuildKit, podman, the legacy builder.
_EXIT = re.compile(r"(?:exit code:|exit status|non-zero code:) ([0-9]{1,3})\b")
_FULL = re.compile(r"no space left on device|ENOSPC|disk quota exceeded", re.IGNORECASE)
_LATER = re.compile(r"toomanyrequests|too many requests|\b429\b", re.IGNORECASE)


def no_room(reason: str, what: str) -> UnmoorError | None:
    """The error for a full disk of the engine, if the reason is one."""
    if not _FULL.search(reason):
        return None
    next_step = advice.FREE_ENGINE_SPACE()
    return error_of(Cause.NO_ROOM, f"{what}: no disk space is left: {clean(reason, 200)}", next_step=next_step)


def asks_to_wait(reason: str) -> bool:
    """Whether a registry's reason means that it is busy."""
    return _LATER.search(reason) is not None


class BuildFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What the output shows: the line of the Dockerfile (0 if unknown), the step, the reason."""

    line: int = 0
    step: str = ""
    reason: str = ""


def read_failure(lines: Sequence[str], dockerfile: Dockerfile) -> BuildFailure:
    """Find line, step and reason in the output of a builder."""
    line, step, reason = 0, "", ""
    for number, text in enumerate(lines):
        if (match := _PLACE.match(text)) and _RULER.match(lines[number + 1] if number + 1 < len(lines) else ""):
            line = int(match["line"])
        elif match := _PARSE.search(text):
            line, reason = int(match["line"]), match["reason"]
        elif match := _STEP.match(text) or _COUNTED.match(text):
            step = match["step"]
        elif (match := _ERROR.match(text)) and not reason:
            reason = match["reason"]
    pulled = _PULL.search(step)
    line = line or (_line_of_base(dockerfile, pulled["image"]) if pulled else dockerfile.line_of(step))
    return BuildFailure(line=line, step=step, reason=_PREFIX.sub("", reason))


def failure(lines: Sequence[str], dockerfile: Dockerfile, target: str, reported: str = "") -> UnmoorError:
    """Return the error for the output of a failed build."""
    found = read_failure(lines, dockerfile)
    # Older clients print the reason last, without a prefix.
    last = next((text for text in reversed(lines) if text.strip() and not _RULER.match(text)), "")
    reason = clean(found.reason or reported or _PREFIX.sub("", last) or "the builder does not say why")
    output = "\n".join(indented(text, 200) for text in _last(lines))
    what = f"{target} does not build"
    if (full := no_room(reason, what) or no_room(output, what)) is not None:
        return full
    if not found.step and _BROKEN.search(reason):
        broke = f"the connection to the engine broke while it built {target}: {reason}"
        return error_of(Cause.LOST, broke, next_step=advice.CHECK_ENGINE())
    if (match := _EXIT.search(reason)) and (number := killed_by(int(match[1]))):
        step = f" in the step {clean(found.step)}" if found.step else ""
        return error_of(Cause.KILLED, f"{what}: a command{step} was killed by signal {number} on the engine's machine")
    where = f"{dockerfile.path}, line {found.line}" if found.line else dockerfile.path
    if pulled := _PULL.search(found.step):
        image = clean(pulled["image"], 200)
        denied = re.search(r"denied|unauthorized|\b40[13]\b", reason)
        if asks_to_wait(reason):
            busy = f"{what}: the registry of the base image {image} asks to retry later: {reason}"
            return error_of(Cause.LATER, busy, where=where, otherwise=advice.LOG_IN_TO_BASE_REGISTRY())
        kind = Denied if denied else ConfigError if "not found" in reason else Unknown
        return kind(
            f"{what}: the base image {image} is not available: {reason}",
            where=where,
            next_step=advice.PULL_BASE_IMAGE(image=image),
        )
    step = f"\nfailing: {clean(found.step)}" if found.step else ""
    return BuildFailed(
        f"{what}: {reason}{step}\n{output}".rstrip(),
        where=where,
        next_step=advice.CORRECT_DOCKERFILE(),
        file=dockerfile.path,
        line=found.line,
    )


def _last(lines: Sequence[str]) -> list[str]:
    """The last relevant lines, without transfer progress and rulers."""
    relevant = [text for text in lines if text.strip() and not _RULER.match(text) and not _PROGRESS.match(text)]
    return relevant[-LINES_SHOWN:]


def _line_of_base(dockerfile: Dockerfile, image: str) -> int:
    """The line of the ``FROM`` of an image, or 0. The builder's name of the image includes registry and tag."""
    bases = ((stage.base, stage.line) for stage in dockerfile.stages)
    return next((line for base, line in bases if base and (image == base or f"/{base}" in f"/{image}")), 0)
