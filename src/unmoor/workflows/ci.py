"""ci.yml: what runs on every pull request and every push to the default branch."""

from __future__ import annotations

import re
from typing import Final

from unmoor.workflows.commands import Commands
from unmoor.workflows.facts import WorkflowFacts, as_pattern
from unmoor.workflows.model import (
    Concurrency,
    JobPermission,
    Script,
    Step,
    Uses,
    Value,
    Workflow,
    WorkflowCall,
    WorkflowJob,
)
from unmoor.workflows.runners import RUNNERS
from unmoor.workflows.steps import MARK, check_out, install_tool, set_up_python
from unmoor.workflows.tests_workflow import BUILD_FILE, READ, TESTS_FILE, in_project, report_environment

CI_FILE: Final = "ci.yml"
_COMMENT: Final = f"""\
{MARK}
Lint, types, tests, coverage, a rehearsal of the release and the container images.

The workflow starts for every change, and the job `changes` decides which jobs a pull request needs: a required check
that never starts would block it. Make only `all-checks` a required check.
No job of a pull request has a secret or a token that can write."""
_PUSH_COMMENT: Final = """\
The only job with a token that can write, and only for pushes to the default branch. It runs unmoor alone. Of the
project's code, its build backend builds the wheel and Docker builds the Dockerfile, both without the token in their
environment; no test runs here, no cache is read, and no file comes from another job."""
_PUSH: Final = JobPermission("packages", "write", "to push the images of the default branch")
_CODE: Final = "needs.changes.outputs.code == 'true'"
_PACKAGE: Final = "needs.changes.outputs.package == 'true'"
_DEFAULT: Final = "github.event_name == 'push' && github.ref_name == github.event.repository.default_branch"
# What no test and no build reads, as a pattern of `grep -E`. The readme and the licence are in the built files.
_DOCUMENTS: Final = r"^$|^(docs?|\.github/ISSUE_TEMPLATE)/|^[^/]*\.(md|rst)$|^(LICEN[CS]E|AUTHORS|NOTICE|COPYING)[^/]*$"
_DOCS_ALONE: Final = r"^$|^(docs?|\.github/ISSUE_TEMPLATE)/"


def ci_workflow(facts: WorkflowFacts) -> Workflow:
    """Return ci.yml."""
    jobs: list[WorkflowJob | WorkflowCall] = [_changes(facts)]
    jobs += [_commands_job(facts, "lint", "Lint", facts.lint, "")] if facts.lint else []
    jobs += [_commands_job(facts, "types", "Types", facts.types, _CODE)] if facts.types else []
    if facts.test:
        jobs.append(_tests(facts))
        jobs += [_coverage(facts, facts.test)] if facts.coverage else []
    jobs.append(
        WorkflowCall(
            id="rehearse",
            name="Rehearsal",
            file=BUILD_FILE,
            needs=("changes",),
            only_if=_PACKAGE,
            permissions=(READ,),
            inputs={"debug": "${{ inputs.debug || false }}"},
        )
    )
    jobs += _images(facts) if facts.platforms else []
    jobs.append(_all_checks(tuple(job.id for job in jobs)))
    return Workflow(
        file=CI_FILE,
        name="ci",
        comment=_COMMENT,
        on={
            "push": {"branches": [as_pattern(facts.default_branch)]},
            "pull_request": None,
            "merge_group": None,
            "workflow_dispatch": {"inputs": _inputs(facts)},
        },
        concurrency=Concurrency(group="ci-${{ github.event.pull_request.number || github.run_id }}", cancel=True),
        jobs=tuple(jobs),
    )


def _inputs(facts: WorkflowFacts) -> Value:
    found: dict[str, Value] = {}
    if facts.platforms:
        found["force_build"] = {
            "description": "Build the images although tests fail",
            "type": "boolean",
            "default": False,
        }
    debug: dict[str, Value] = {
        "description": "Say more, and report what the machines have",
        "type": "boolean",
        "default": False,
    }
    return {**found, "debug": debug}


def _changes(facts: WorkflowFacts) -> WorkflowJob:
    """Which jobs a change needs. What cannot be found out needs all of them."""
    within: tuple[str, ...] = ()
    if facts.path:
        folder = re.escape(facts.path)
        within = (
            "# The project, and what is at the top of the repository.",
            f"files=$(grep -E '^({folder}/|\\.github/|[^/]*$)' <<< \"$files\" | sed 's|^{facts.path}/||' || true)",
        )
    script = (
        "code=true",
        "package=true",
        "# A pull request is checked out as its merge; the first parent is what it is merged into.",
        'if [ "$EVENT" = pull_request ] && files=$(git diff --name-only --no-renames HEAD^1 HEAD); then',
        *(f"  {line}" for line in within),
        f"  grep -qvE '{_DOCUMENTS}' <<< \"$files\" || code=false",
        f"  grep -qvE '{_DOCS_ALONE}' <<< \"$files\" || package=false",
        "fi",
        'printf \'%s\\n\' "code=$code" "package=$package" | tee -a "$GITHUB_OUTPUT"',
    )
    return WorkflowJob(
        id="changes",
        name="Changes",
        minutes=5,
        permissions=(READ,),
        outputs={
            "code": "${{ steps.changes.outputs.code }}",
            "package": "${{ steps.changes.outputs.package }}",
        },
        steps=(
            Uses(action="actions/checkout", inputs={"fetch-depth": 2, "persist-credentials": False}),
            Script(
                name="See which files change",
                id="changes",
                script="\n".join(script),
                env={"EVENT": "${{ github.event_name }}"},
            ),
        ),
    )


def _commands_job(facts: WorkflowFacts, job: str, name: str, commands: Commands, only_if: str) -> WorkflowJob:
    cache: tuple[Step, ...] = ()
    if commands.hooks:
        key = "pre-commit-${{ runner.os }}-${{ hashFiles('.pre-commit-config.yaml') }}"
        cache = (Uses(action="actions/cache", inputs={"path": "~/.cache/pre-commit", "key": key}),)
    install = (in_project(facts, commands.install, name="Install"),) if commands.install else ()
    return WorkflowJob(
        id=job,
        name=name,
        comment=f"From {commands.why}.",
        needs=("changes",) if only_if else (),
        only_if=only_if,
        minutes=20,
        permissions=(READ,),
        steps=(
            check_out(),
            set_up_python(_main_python(facts)),
            *cache,
            *install,
            in_project(facts, commands.run, name="Run", env=commands.env),
            report_environment(),
        ),
    )


def _tests(facts: WorkflowFacts) -> WorkflowCall:
    shards = facts.settings.workflows.shards
    matrix: dict[str, Value] = {
        "system": [RUNNERS[each] for each in facts.systems],
        "python": list(facts.pythons),
    }
    inputs: dict[str, str | int | bool] = {"system": "${{ matrix.system }}", "python": "${{ matrix.python }}"}
    if shards > 1:
        matrix["shard"] = list(range(1, shards + 1))
        inputs["shard"] = "${{ matrix.shard }}"
    return WorkflowCall(
        id="tests",
        name="Tests, " + ", ".join(f"${{{{ matrix.{each} }}}}" for each in matrix),
        file=TESTS_FILE,
        needs=("changes",),
        only_if=_CODE,
        permissions=(READ,),
        matrix=matrix,
        inputs={**inputs, "debug": "${{ inputs.debug || false }}"},
    )


def _coverage(facts: WorkflowFacts, commands: Commands) -> WorkflowJob:
    """The gate. Each machine has the checkout elsewhere, so `paths` says that all of them are this one."""
    install = commands.install if facts.coverage_plugins else ('python -m pip install --quiet "coverage[toml]"',)
    script = (
        "name=${GITHUB_REPOSITORY##*/}",
        'printf \'[paths]\\nsource =\\n    %s\\n    */%s/%s\\n\' "$GITHUB_WORKSPACE" "$name" "$name" \\',
        '  > "$RUNNER_TEMP/paths.ini"',
        'python -m coverage combine --rcfile="$RUNNER_TEMP/paths.ini" "$RUNNER_TEMP"/measured/*/*',
        "{",
        "  echo '### Coverage'",
        "  python -m coverage report --format=markdown --fail-under=0",
        '} >> "$GITHUB_STEP_SUMMARY"',
        'python -m coverage report --skip-covered --show-missing --fail-under="$AT_LEAST"',
    )
    return WorkflowJob(
        id="coverage",
        name="Coverage",
        comment="Measured by all tests together. Tests of pull requests measured it, so nothing here has a credential.",
        needs=("tests",),
        minutes=10,
        permissions=(READ,),
        steps=(
            check_out(),
            set_up_python(_main_python(facts)),
            Uses(
                action="actions/download-artifact",
                inputs={"pattern": "coverage-*", "path": "${{ runner.temp }}/measured"},
            ),
            in_project(facts, install, name="Install coverage.py"),
            in_project(
                facts,
                script,
                name="Compare with the least that tests must cover",
                env={"AT_LEAST": facts.coverage, "COVERAGE_FILE": "${{ runner.temp }}/covered"},
            ),
        ),
    )


def _images(facts: WorkflowFacts) -> list[WorkflowJob | WorkflowCall]:
    """The jobs that build images: one for changes, and one with a credential for the default branch."""
    tested = " && needs.tests.result == 'success'" if facts.test else ""
    machine: tuple[Step, ...] = ()
    if set(facts.platforms) != {"linux/amd64"}:
        machine = (Uses(action="docker/setup-qemu-action"),)
    path = f" --path {facts.path}" if facts.path else ""
    before = (check_out(), set_up_python(), *machine, *install_tool(facts))
    ready = f"needs.rehearse.result == 'success'{tested}"
    needs = ("changes", "rehearse", *(["tests"] if facts.test else []))
    # Tests that the change does not need are skipped.
    unless_failed = ready.replace("needs.tests.result == 'success'", "needs.tests.result != 'failure'")
    build = WorkflowJob(
        id="images",
        name="Images",
        comment="With `force_build`, a manual run builds them although tests fail. Nothing is pushed.",
        needs=needs,
        only_if=f"${{{{ !cancelled() && {_PACKAGE} && !({_DEFAULT}) && (({unless_failed}) || inputs.force_build) }}}}",
        minutes=60,
        permissions=(READ,),
        steps=(*before, Script(name="Build and test the images", script=f"unmoor images{path}"), report_environment()),
    )
    push = WorkflowJob(
        id="push-images",
        name="Push the images",
        comment=_PUSH_COMMENT,
        needs=needs,
        only_if=f"${{{{ !cancelled() && {_DEFAULT} && {ready} }}}}",
        minutes=60,
        concurrency=Concurrency(group="images-${{ github.ref_name }}", queue=True),
        permissions=(READ, _PUSH),
        steps=(
            *before,
            Script(
                name="Build, test and push the images",
                script=f"unmoor images --push{path}",
                env={"GITHUB_TOKEN": "${{ github.token }}"},
            ),
        ),
    )
    return [build, push]


def _all_checks(needs: tuple[str, ...]) -> WorkflowJob:
    script = (
        'echo "$NEEDS"',
        "failed=0",
        "for result in $RESULTS; do",
        '  case "$result" in',
        "    success | skipped) ;;",
        "    *) failed=1 ;;",
        "  esac",
        "done",
        'exit "$failed"',
    )
    return WorkflowJob(
        id="all-checks",
        name="all-checks",
        comment="The only required check. A job that is not needed is skipped; a failed or cancelled one counts.",
        needs=needs,
        only_if="always()",
        minutes=5,
        steps=(
            Script(
                name="Every job succeeded or was not needed",
                script="\n".join(script),
                env={"NEEDS": "${{ toJSON(needs) }}", "RESULTS": "${{ join(needs.*.result, ' ') }}"},
            ),
        ),
    )


def _main_python(facts: WorkflowFacts) -> str:
    """The Python for what runs once: the newest but one, which every program supports, if there are several."""
    plain = [each for each in facts.pythons if not each.endswith("t")] or list(facts.pythons)
    return plain[-2] if len(plain) > 1 else plain[-1]
