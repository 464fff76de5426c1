"""The steps that the written workflows share: checking out, Python, the tool itself, and what jobs hand over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Script, Step, Uses

TOOL_PYTHON: Final = "3.13"
"""The Python that runs unmoor."""
TOOL_LIST: Final = ".github/unmoor/requirements.txt"
"""unmoor and what it needs, with versions and hashes."""
WHEELS_LIST: Final = ".github/unmoor/cibuildwheel.txt"
"""The same of cibuildwheel, for the jobs that build wheels; a project without such jobs has none."""
RETENTION_DAYS: Final = 90
REPORT_PREFIX: Final = "report-"
"""How the names of artifacts begin that are reports of jobs."""
RUN_REPORTS: Final = ".unmoor/*/report.html"
"""Where each release and rehearsal leaves its report."""
MARK: Final = 'Written by "unmoor workflows write".'
"""The first line of each file, which says whose it is."""

BY_HASH: Final = 'pip install --quiet --require-hashes --no-deps --only-binary ":all:" --requirement'
_TOOL_FOLDER = "${{ runner.temp }}/tool"
_TOOL = "tool"


def check_out(*, ref: str = "", history: bool = True) -> Uses:
    """Check out a commit, by default that of the run. unmoor needs the whole ``history``.

    No later step finds the job's token in the checkout.
    """
    depth: dict[str, int | str | bool] = {"fetch-depth": 0} if history else {}
    named: dict[str, int | str | bool] = {"ref": ref} if ref else {}
    return Uses(action="actions/checkout", inputs={**named, **depth, "persist-credentials": False})


def set_up_python(*versions: str) -> Uses:
    """Install some versions of Python; ``python`` is the last one. By default, the one that runs unmoor."""
    listed = [*dict.fromkeys(reversed(versions or (TOOL_PYTHON,)))][::-1]
    return Uses(action="actions/setup-python", inputs={"python-version": in_lines(listed)})


def install_tool(facts: WorkflowFacts, *, built_by: str = "") -> tuple[Step, ...]:
    """Install unmoor, from wheels with known hashes alone: no build backend runs.

    If the checkout is unmoor itself, a job ``built_by`` hands over its wheel (see `build_tool`), by its sha256;
    the job that installs it names that one in its ``needs``. Without one, the wheel is built by the same job.
    """
    if facts.settings.workflows.tool == "index":
        return (Script(name="Install unmoor by hash", script=f"python -P -m {BY_HASH} {TOOL_LIST}"),)
    source = f"needs.{built_by}.outputs.tool-sha256" if built_by else f"steps.{_TOOL}.outputs.sha256"
    install = Script(
        name="Install the tool by hash",
        script='.ci/install-tool "$RUNNER_TEMP/tool" "$TOOL_SHA256"',
        env={"TOOL_SHA256": f"${{{{ {source} }}}}"},
    )
    return (download(_TOOL, _TOOL_FOLDER), install) if built_by else (*build_tool(), install)


def build_tool() -> tuple[Step, ...]:
    """Build unmoor's own wheel from the checkout, in a job without credentials. Its output has the sha256."""
    build = Script(
        name="Build the tool",
        id=_TOOL,
        script='python -m pip wheel --quiet --no-deps --wheel-dir "$RUNNER_TEMP/tool" .\n'
        'echo "sha256=$(sha256sum "$RUNNER_TEMP"/tool/unmoor-*.whl | cut -d \' \' -f 1)" >> "$GITHUB_OUTPUT"\n',
    )
    return (build,)


def hand_over_tool() -> Uses:
    """Hand over the wheel of `build_tool` to later jobs."""
    return upload(_TOOL, f"{_TOOL_FOLDER}/")


def upload(name: str, path: str) -> Uses:
    """Hand over files to later jobs. A job that runs again replaces what it handed over before."""
    return Uses(
        action="actions/upload-artifact",
        inputs={
            "name": name,
            "path": path,
            "include-hidden-files": True,
            "if-no-files-found": "error",
            "overwrite": True,
            "retention-days": RETENTION_DAYS,
        },
    )


def keep_report(job: str, path: str = RUN_REPORTS) -> Uses:
    """Keep the report of a job for people, also if the job failed. No job reads it."""
    return Uses(
        action="actions/upload-artifact",
        only_if="always()",
        inputs={
            "name": f"{REPORT_PREFIX}{job}",
            "path": path,
            "include-hidden-files": True,
            "if-no-files-found": "ignore",
            "overwrite": True,
            "retention-days": RETENTION_DAYS,
        },
    )


def download(name: str, path: str) -> Uses:
    """Take over what a job uploaded. It counts only by a digest that the job put out."""
    return Uses(action="actions/download-artifact", inputs={"name": name, "path": path})


def report_machine() -> Script:
    """Print what the machine is and has, if the run was started with ``debug``. unmoor must be installed.

    It names variables without their values, because some are secrets.
    """
    lines = ("unmoor doctor", "python -P -m pip list", "compgen -e")
    return Script(name="Report the machine", only_if="inputs.debug", script=in_lines(lines))


def in_lines(values: Sequence[str]) -> str:
    """Several values, one a line; a single one stands without a line end."""
    return values[0] if len(values) == 1 else "".join(f"{each}\n" for each in values)
