"""The output of old and new builders, and the errors for it."""

from __future__ import annotations

import pytest

from unmoor.adapters.engine.failures import LINES_SHOWN, failure, read_failure
from unmoor.errors import BuildFailed, ConfigError, Denied, ToolMissing, Unknown, UnmoorError
from unmoor.images.dockerfile import Dockerfile

DOCKERFILE = Dockerfile.parse(
    b"FROM python:3.11 AS builder\n\nRUN true\nRUN make \\\n  all\nFROM ghcr.io/acme/base:1\nCOPY x /\n", "Dockerfile"
)
NEW = """\
#7 [builder 3/3] RUN make   all
#7 0.123 make: *** No rule to make target 'all'.  Stop.
#7 ERROR: process "/bin/sh -c make   all" did not complete successfully: exit code: 2
------
 > [builder 3/3] RUN make   all:
0.123 make: *** No rule to make target 'all'.  Stop.
------
Dockerfile:4
--------------------
   3 |     RUN true
   4 | >>> RUN make \\
   5 | >>>   all
   6 |     FROM ghcr.io/acme/base:1
--------------------
ERROR: failed to solve: process "/bin/sh -c make   all" did not complete successfully: exit code: 2
"""
OLD = """\
#7 [builder 3/3] RUN make   all
#7 0.123 make: *** No rule
------
 > [builder 3/3] RUN make   all:
#7 0.123 make: *** No rule
------
executor failed running [/bin/sh -c make   all]: exit code: 2
"""
LEGACY = "Step 4/6 : RUN make   all\n ---> Running in 0123456789ab\nmake: *** No rule\n"
PODMAN = "[1/2] STEP 2/3: COPY a /a\n[1/2] STEP 4/6: RUN make   all\nmake: *** No rule\n"
SYNTAX = "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUM (did you mean RUN?)\n"
OLD_SYNTAX = (
    "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
    "dockerfile parse error line 3: unknown instruction: RUM\n"
)


@pytest.mark.parametrize(
    ("output", "line", "step", "reason"),
    [
        (NEW, 4, "[builder 3/3] RUN make   all", 'process "/bin/sh -c make   all" did not complete'),
        (OLD, 4, "[builder 3/3] RUN make   all", ""),
        (LEGACY, 4, "RUN make   all", ""),
        (PODMAN, 4, "RUN make   all", ""),
        (SYNTAX, 3, "", "unknown instruction: RUM (did you mean RUN?)"),
        (OLD_SYNTAX, 3, "", "unknown instruction: RUM"),
        ("", 0, "", ""),
        ("host.example:443\nDockerfile:9\n", 0, "", ""),
    ],
    ids=["new", "old", "legacy", "podman", "syntax", "old-syntax", "nothing", "no-line"],
)
def test_line_and_step(output: str, *, line: int, step: str, reason: str) -> None:
    """The line is the one that the builder reports, or else that of the step."""
    found = read_failure(output.splitlines(), DOCKERFILE)
    assert (found.line, found.step) == (line, step)
    assert found.reason.startswith(reason)


GONE = "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF"


def killed(how: str) -> list[str]:
    """Return the output for a step that ended with an exit code."""
    return [each.replace("exit code: 2", how) for each in NEW.splitlines()]


def pulled(image: str, reason: str) -> list[str]:
    """Return the output for a base image that is not available."""
    return [f" > [internal] load metadata for {image}:", f"ERROR: failed to solve: {image}: {reason}"]


@pytest.mark.parametrize(
    ("lines", "kind", "message", "line"),
    [
        (NEW.splitlines(), BuildFailed, "builder does not build: process", 4),
        (OLD.splitlines(), BuildFailed, "builder does not build: executor failed running", 4),
        (pulled("docker.io/library/python:3.11", "not found"), ConfigError, "base image docker.io/library/python", 0),
        (pulled("ghcr.io/acme/base:1", "failed to authorize: 403 Forbidden"), Denied, "is not available", 0),
        (pulled("ghcr.io/acme/base:1", "no such host"), Unknown, "Dockerfile, line 6: builder does", 0),
        (pulled("docker.io/library/x:1", "429 Too Many Requests: toomanyrequests"), Unknown, "toomanyrequests", 0),
        (
            ["#5 [2/3] RUN x", GONE],
            Unknown,
            "the connection to the engine broke while it built builder: failed to receive",
            0,
        ),
        ([*NEW.splitlines(), "error reading from server: EOF"], BuildFailed, "builder does not build: process", 4),
        (["write /x: no space left on device"], ToolMissing, "no disk space is left", 0),
        (["npm ERR! code ENOSPC", "ERROR: failed to solve: exit code: 1"], ToolMissing, "no disk space is left", 0),
        (killed("exit code: 137"), ToolMissing, "in the step [builder 3/3] RUN make all was killed by signal 9", 0),
        (killed("exit code: 143"), ToolMissing, "was killed by signal 15", 0),
        (killed("exit status 137"), ToolMissing, "was killed by signal 9", 0),
        (killed("returned a non-zero code: 137"), ToolMissing, "was killed by signal 9", 0),
        (killed("exit code: 139"), BuildFailed, "exit code: 139", 4),
        ([], BuildFailed, "the builder does not say why", 0),
    ],
    ids=[
        "new",
        "old",
        "no-base",
        "denied-base",
        "no-network",
        "limited",
        "engine-gone",
        "own-words",
        "full",
        "full-npm",
        "killed",
        "terminated",
        "killed-podman",
        "killed-legacy",
        "crashed",
        "silent",
    ],
)
def test_errors(lines: list[str], kind: type[UnmoorError], message: str, line: int) -> None:
    """Each failure has its own error, with a next step."""
    error = failure(lines, DOCKERFILE, "builder")
    assert type(error) is kind
    assert message in str(error)
    assert error.next_step or error.otherwise
    assert error.retryable is not isinstance(error, BuildFailed | ConfigError | Denied)
    if isinstance(error, BuildFailed):
        assert (error.file, error.line) == ("Dockerfile", line)


def test_output_is_cleaned_and_truncated() -> None:
    """The error has no escape sequences and only the last lines of the output."""
    error = failure([f"#9 0.1 \x1b[31mline {number}" for number in range(1000)], DOCKERFILE, "builder")
    assert "\x1b" not in str(error)
    assert str(error).count("line") == LINES_SHOWN + 1
