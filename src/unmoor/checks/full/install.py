"""What the project requires resolves, and its modules import in a fresh environment.

Both are asked of the built wheel, since only a build knows all that it requires.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, CheckRemark, RepositoryCheck, skip
from unmoor.errors import CheckFailed
from unmoor.filesystem.temporary import temporary_folder
from unmoor.util.text import clean, list_some

if TYPE_CHECKING:
    from unmoor.ports.environments import Environment, Environments, Interpreter
    from unmoor.ports.services import Services
    from unmoor.products import Dists, File

_LONGEST: Final = 2000
Found = CheckProblem | CheckRemark


def check_install(context: CheckContext) -> Iterator[Found]:
    """Build the wheel of the last commit, resolve it and import it. Raises what a build and an installer raise."""
    from unmoor.artifacts.files import describe_file
    from unmoor.dists.testing.install_test import interpreter_for
    from unmoor.products import Dists

    if "wheel" not in context.settings.building.formats:
        skip("the settings say that the project releases no wheel")
    services = context.installing()
    yield from uncommitted(context)
    with temporary_folder() as work:
        dists = Dists(files=(describe_file(_build(context, services, work)),))
        environments = services.environments.under(context.settings.building.constraints)
        python = interpreter_for(environments, dists, context.settings.building.python)
        problems = list(_resolve(context, services, dists.files[0], python))
        yield from problems
        if any(each.level is not CheckLevel.WARNING for each in problems):
            return  # an installer finds the same
        yield from _import(context, environments, dists, python, work)


def uncommitted(context: CheckContext) -> Iterator[CheckRemark]:
    """Say which changes are no part of the last commit."""
    if names := context.git.changed():
        yield CheckRemark(what=f"this is about the last commit, without the changes in {list_some(list(names), 3)}")


def _build(context: CheckContext, services: Services, work: Path) -> Path:
    """Build the wheel of the last commit from its tree. Raises `NotApplicable`, `BuildFailed`, `ToolMissing`."""
    from unmoor.dists.building import DistBuilder
    from unmoor.products import Release
    from unmoor.project import read_facts

    commit = context.head or skip("there is no commit yet")
    options = context.settings.building
    provisional = Release(
        repository=context.repository(),
        project=context.settings.project or read_facts(context.files.read).name,
        tag="",
        version="",
        commit=commit,
        date=services.git.date_of(commit),
        prerelease=False,
        highest=False,
        path=context.path,
    )
    builder = DistBuilder(
        git=services.git,
        backend=services.backend.under(options.constraints),
        environments=services.environments.under(options.constraints),
        options=options,
    )
    built = builder.build(work / "build", provisional, formats=("wheel",), say=_quiet, warn=_quiet)
    return built.files[0]


def _resolve(context: CheckContext, services: Services, wheel: File, python: Interpreter) -> Iterator[CheckProblem]:
    """Resolve what the wheel requires, with each extra, here and for the oldest Python that the project supports.

    An extra without a solution is a warning, since nobody has to ask for it.
    """
    from unmoor.project.pythons import oldest_python
    from unmoor.sbom.targets import target_of
    from unmoor.sbom.wheel import read_wheel
    from unmoor.util.values import replace

    resolver = services.resolver.under(context.settings.building.constraints)
    _, name, _, extras = read_wheel(wheel.path)
    here = target_of(wheel, python)
    oldest = oldest_python(context.files)
    targets = {f"Python {here.version or python.series}": here}
    if oldest.startswith("3.") and not here.version and not python.series.startswith(oldest):
        targets[f"Python {oldest}"] = replace(here, version=oldest)
    for where, target in targets.items():
        for extra in ("", *extras):
            try:
                resolver.resolve(wheel.path, name=name, extra=extra, target=target)
            except CheckFailed as error:
                what = f"the extra {clean(extra, 60)}" if extra else "what the project requires"
                yield CheckProblem(
                    what=f"{what} does not resolve on {where}: {clean(error.what, _LONGEST)}",
                    next_step=error.next_step,
                    level=CheckLevel.WARNING if extra else None,
                )


def _import(
    context: CheckContext, environments: Environments, dists: Dists, python: Interpreter, work: Path
) -> Iterator[Found]:
    """Install the wheel and import its modules. Raises `CheckFailed` with what does not work."""
    from unmoor.dists.testing.install_test import dists_under_test, run_install_test

    under_test = dists_under_test(dists, python)
    if not under_test:
        yield CheckRemark(what=f"{dists.files[0].name} is for another platform, so nothing of it was imported")
        return
    path = dists.files[0].path.absolute()
    folder = work / "probe"
    folder.mkdir()

    def install(extras: tuple[str, ...], into: Path) -> Environment:
        environment = environments.fresh(into, python=python.path)
        name = under_test[0].metadata.name
        environment.install([f"{name}[{','.join(extras)}] @ {path.as_uri()}" if extras else str(path)])
        return environment

    warnings: list[str] = []
    options = context.settings.importing
    run_install_test(
        install((), work / "environment"), under_test[0], folder, options=options, install=install, warn=warnings.append
    )
    for each in warnings:
        yield CheckProblem(what=clean(each, _LONGEST), level=CheckLevel.WARNING)


def _quiet(text: str) -> None:
    """Print nothing: the result of the check is what counts."""


CHECK: Final = RepositoryCheck(
    id="install",
    group=CheckGroup.FULL,
    level=CheckLevel.CRITICAL,
    title="What the project requires resolves, and its modules import in a fresh environment",
    reads="the wheel of the last commit, which it builds, and the index",
    remedy="correct the requirements or the module, and commit that",
    run=check_install,
)
