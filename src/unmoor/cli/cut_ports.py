"""Open what ``unmoor cut`` may use: the checkout to write, the index, the forge, the checks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.adapters.factory import (
    open_index,
    open_lock,
    open_pull_requests,
    open_rules,
    open_workflow_runs,
    open_writer,
)
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli.resolve_project import ResolvedProject
from unmoor.cli.run_options import TargetOptions
from unmoor.errors import Denied, Refused, Rejected, Unknown
from unmoor.scaffold.cut.model import CutPorts
from unmoor.util.text import clean, list_some

if TYPE_CHECKING:
    from unmoor.ports.repository_rules import RepositoryRules
    from unmoor.ports.world import World


def open_ports(checkout: GitCheckout, world: World, processes: Processes, target: TargetOptions) -> CutPorts:
    """What a cut may use, in a world. Sends nothing yet."""
    shell = LocalShell(processes=processes)
    git = GitCheckout(checkout.folder, shell, world.remote, path=checkout.path, patience=world.patience)
    index = open_index(world, processes)
    has_forge = bool(world.forge.repository)
    return CutPorts(
        git=git,
        writer=open_writer(git, processes, remote=world.remote),
        shell=shell,
        lock=open_lock(processes),
        index_versions=lambda name: tuple(index.versions(name)),
        check=partial(_require_checks, target, processes),
        protected=partial(_why_protected, open_rules(world, processes)) if has_forge else lambda _branch: "",
        pull_requests=open_pull_requests(world, processes) if has_forge else None,
    )


def _why_protected(rules: RepositoryRules, branch: str) -> str:
    """Name the rules that refuse a push; empty if there are none. If nobody may read them, the push will tell."""
    try:
        found = rules.rules_for_branch(branch)
    except (Denied, Unknown, Rejected):
        return ""
    return ", ".join(dict.fromkeys(clean(rule.type, 60) for rule in found if rule.blocks_push))


def _require_checks(target: TargetOptions, processes: Processes) -> None:
    """Raise `Refused` if a critical check fails, and `Unknown` if one has no answer."""
    from unmoor.checks.model import CheckLevel
    from unmoor.checks.running import run_checks
    from unmoor.cli.check_run import CheckOptions, choose, open_context

    context = open_context(target, processes)
    selection = choose(context.settings, CheckOptions())
    critical = tuple(each for each in selection.checks if each.level is CheckLevel.CRITICAL)
    report = run_checks(context, critical, ignored=selection.ignored)
    for result in report.critical:
        problems = [
            f"{problem.where}: {problem.what}" if problem.where else problem.what for problem in result.problems
        ]
        raise Refused(
            f"the check {result.check.id} fails: {list_some([clean(each, 200) for each in problems], 3)}",
            next_step=advice.PASS_CHECKS(),
        )
    if report.unknown:
        unknown = report.unknown[0]
        raise Unknown(
            f"the check {unknown.check.id} has no answer: {clean(unknown.why, 200)}", next_step=advice.PASS_CHECKS()
        )


def follow(world: World, project: ResolvedProject, processes: Processes, tag: str) -> None:
    """Follow the workflow run of a tag, and start one if none starts. Raises as `watch` does."""
    from unmoor.adapters.clock import MonotonicClock
    from unmoor.cli.cut_watch import watch
    from unmoor.provenance.release_workflow import is_workflow, signing_workflows

    if not world.forge.repository:
        raise Refused(
            "the remote is not on GitHub, so there is no workflow run to follow", next_step=advice.SEE_ACTIONS()
        )

    def workflow() -> str:
        git, commit = project.checkout.at(""), project.commit
        if project.settings.release_workflow or commit is None:
            return project.settings.release_workflow
        paths = [path for path in git.files(commit) if is_workflow(path)]
        signing = signing_workflows({path: git.read(commit, path) for path in paths}).paths
        return signing[0] if len(signing) == 1 else next((path for path in paths if path.endswith("/release.yml")), "")

    watch(
        open_workflow_runs(world, processes),
        MonotonicClock(processes=processes, patience=world.patience),
        tag,
        workflow=workflow,
        deadline=project.settings.deadline,
    )
