"""The reusable workflows: tests.yml for one Python, system and shard, and build.yml for a rehearsed release.

Jobs that publish are in no reusable workflow, because an index knows a publisher by the file that starts.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from unmoor.workflows.commands import Commands
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import JobPermission, Script, Step, Uses, Value, Workflow, WorkflowJob
from unmoor.workflows.steps import MARK, TOOL_PYTHON, check_out, install_tool, keep_report, set_up_python

TESTS_FILE: Final = "tests.yml"
BUILD_FILE: Final = "build.yml"
READ: Final = JobPermission("contents", "read", "to check out the repository")
_DAYS = 7
_SHARD = "shard_of_tests"
# Whole files, so that what their tests share is made once. Each process of xdist chooses the same.
_PLUGIN = f"""\
packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cat > "$packages/{_SHARD}.py" << 'END'
import os


def pytest_collection_modifyitems(config, items):
    files = sorted({{item.location[0] for item in items}})
    mine = set(files[int(os.environ["SHARD"]) - 1 :: int(os.environ["SHARDS"])])
    config.hook.pytest_deselected(items=[item for item in items if item.location[0] not in mine])
    items[:] = [item for item in items if item.location[0] in mine]
END
"""


def tests_workflow(facts: WorkflowFacts) -> Workflow:
    """Return tests.yml, which ci.yml calls for each Python, system and shard."""
    commands = facts.test or Commands(why="", run=("true",))
    measured = {"description": "Name of the artifact with the measured coverage"}
    outputs = {"coverage": {**measured, "value": "${{ jobs.test.outputs.coverage }}"}} if facts.coverage else {}
    why = "\n".join(textwrap.wrap(f"The tests: {commands.why}.", 116))
    return Workflow(
        file=TESTS_FILE,
        name="tests",
        comment=f"{MARK}\nTests with one Python on one system, called by ci.yml.\n{why}\n{_unpinned(facts)}",
        on={
            "workflow_call": {
                "inputs": {
                    "python": _input("Version of Python, such as 3.13", required=True),
                    "system": _input("Label of the runner, such as ubuntu-latest", required=True),
                    "shard": _input("Number of the shard of the tests", kind="number", default=1),
                    "debug": _input("Whether to say more", kind="boolean", default=False),
                },
                **({"outputs": outputs} if outputs else {}),
            }
        },
        jobs=(_test_job(facts, commands),),
    )


def _test_job(facts: WorkflowFacts, commands: Commands) -> WorkflowJob:
    shards = facts.settings.workflows.shards
    name = "coverage-${{ inputs.system }}-${{ inputs.python }}-${{ inputs.shard }}"
    env: dict[str, str | int | bool] = {
        **commands.env,
        "SHARD": "${{ inputs.shard }}",
        "SHARDS": shards,
        "PYTEST_ADDOPTS": "${{ inputs.debug && '-vv --showlocals' || '' }}",
    }
    run = list(commands.run)
    if shards > 1 and commands.plugin:
        run = [_PLUGIN.rstrip("\n"), *(f"{each} -p {_SHARD}" for each in run)]
    upload: tuple[Step, ...] = ()
    if facts.coverage:
        env["COVERAGE_FILE"] = "${{ runner.temp }}/coverage/data"
        run = ['mkdir -p "$RUNNER_TEMP/coverage"', *run]
        upload = (_upload(name, "${{ runner.temp }}/coverage/"),)
    python = set_up_python("${{ inputs.python }}")
    cached = Uses(action=python.action, inputs={**python.inputs, **_cache(facts)})
    install = (in_project(facts, commands.install, name="Install the project and what its tests need"),)
    return WorkflowJob(
        id="test",
        name="Test",
        runs_on="${{ inputs.system }}",
        minutes=60,
        permissions=(READ,),
        outputs={"coverage": name} if facts.coverage else {},
        steps=(
            check_out(),
            cached,
            *(install if commands.install else ()),
            in_project(facts, run, name="Test", env=env),
            report_environment(),
            *upload,
        ),
    )


def build_workflow(facts: WorkflowFacts) -> Workflow:
    """Return build.yml: the whole release against servers on the runner, which builds and tests the files."""
    built = '-path "*/rehearsal/checkout/*.unmoor/*/dists/*" \\( -name "*.whl" -o -name "*.tar.gz" \\)'
    collect = (
        "mkdir built",
        f"find . {built} -exec cp {{}} built/ \\;",
        "cd built",
        "sha256sum -- * > SHA256SUMS",
        "cat SHA256SUMS",
        'echo "sha256=$(sha256sum SHA256SUMS | cut -d \' \' -f 1)" >> "$GITHUB_OUTPUT"',
    )
    rehearse = "unmoor rehearse --without-images" + (f" --path {facts.path}" if facts.path else "")
    job = WorkflowJob(
        id="build",
        name="Rehearse",
        minutes=60,
        permissions=(READ,),
        outputs={"sha256": "${{ steps.files.outputs.sha256 }}"},
        steps=(
            check_out(),
            set_up_python("${{ inputs.python }}"),
            *install_tool(facts),
            Script(name="Release to servers on this machine", script=rehearse),
            Script(name="Collect the files", id="files", script="\n".join(collect)),
            _upload("built", "built/"),
            report_environment(),
            keep_report("rehearsal"),
        ),
    )
    return Workflow(
        file=BUILD_FILE,
        name="build",
        comment=f"{MARK}\nA rehearsal of the release, which builds and tests the files. Nothing leaves the machine.",
        on={
            "workflow_call": {
                "inputs": {
                    "python": _input("Version of Python that runs unmoor", default=TOOL_PYTHON),
                    "debug": _input("Whether to say more", kind="boolean", default=False),
                },
                "outputs": {
                    "sha256": {
                        "description": "The sha256 of SHA256SUMS in the artifact `built`",
                        "value": "${{ jobs.build.outputs.sha256 }}",
                    }
                },
            }
        },
        jobs=(job,),
    )


def in_project(
    facts: WorkflowFacts, lines: Sequence[str], *, name: str, env: Mapping[str, str | int | bool] | None = None
) -> Script:
    """A step that runs lines in the folder of the project."""
    start = [f"cd {facts.path}"] if facts.path else []
    return Script(name=name, script="\n".join([*start, *lines]), env=env or {})


def report_environment() -> Script:
    """Print what the machine is and has left, if a step failed or somebody asks for it.

    Only names of variables: their values may be secrets. Nobody gets a shell on the machine: without an action or a
    server of a third party, a hosted runner cannot be reached.
    """
    lines = (
        "uname -a",
        "python --version",
        "python -m pip list --disable-pip-version-check",
        "df -h",
        'case "$RUNNER_OS" in',
        "  Linux) free -h ;;",
        "  macOS) vm_stat ;;",
        "  Windows) systeminfo | grep Memory ;;",
        "esac",
        "compgen -e",
    )
    return Script(
        name="Report the environment", only_if="${{ failure() || inputs.debug }}", script="\n".join(("set +e", *lines))
    )


def _upload(name: str, path: str) -> Uses:
    inputs: dict[str, str | int | bool] = {"name": name, "path": path, "if-no-files-found": "error", "overwrite": True}
    return Uses(action="actions/upload-artifact", inputs={**inputs, "retention-days": _DAYS})


def _cache(facts: WorkflowFacts) -> dict[str, str | int | bool]:
    """A cache of downloads; its key is the system, the Python and the content of these files."""
    paths = facts.downloads
    return {"cache": "pip", "cache-dependency-path": "\n".join(paths)} if paths else {}


def _input(description: str, *, kind: str = "string", required: bool = False, default: object = None) -> Value:
    found: dict[str, Value] = {"description": description, "type": kind, "required": required}
    if isinstance(default, str | int | bool):
        found["default"] = default
    return found


def _unpinned(facts: WorkflowFacts) -> str:
    if facts.test and any("constraints.txt" in each for each in facts.test.install):
        return "uv.lock pins what is installed. Not pinned: pip, uv, and what builds the project."
    return "Not pinned, because the project has no uv.lock: pip, and what it installs."
