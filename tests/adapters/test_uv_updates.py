"""What uv makes of a lock: with real files, a local index and a service that knows vulnerabilities."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.dated_index import NEW, Released, dated_index
from tests.support.faulty_server import run_server
from tests.support.locked_projects import LockedProject
from tests.support.osv import answer_osv

from unmoor.adapters.uv import Uv
from unmoor.adapters.uv_updates import UvLockResolver, UvLockTests, UvProject
from unmoor.dists.testing.suites import Suite
from unmoor.errors import Refused, Unknown
from unmoor.maintenance.updates.lock import read_lock
from unmoor.ports.lock_updates import Unresolved
from unmoor.util.values import replace

PACKAGES = {
    "idna": [Released("3.6"), Released("3.7"), Released("4.0", uploaded=NEW)],
    "aa": [Released("1.0"), Released("1.1", ["idna>=3.7"])],
}
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


def versions(lock: bytes | Unresolved) -> dict[str, str]:
    """The versions in a lock."""
    assert isinstance(lock, bytes), lock
    return {name: found for name, (found, *_) in read_lock(lock).versions().items()}


def impatient(uv: Uv) -> Uv:
    """A uv that tries once."""
    return replace(uv, environ={**uv.environ, "UV_HTTP_RETRIES": "0"})


def test_a_lock_is_planned_and_applied(tmp_path: Path, uv: Uv) -> None:
    """A date reaches transitive packages and is only in the plan; what is applied passes uv's own check."""
    with dated_index(PACKAGES) as index:
        project = LockedProject.new(tmp_path, index, ["aa", "idna<4"], {"aa": "1.0", "idna": "3.6"})
        before = project.lock
        resolver = UvLockResolver(project=UvProject(uv=uv), folder=project.repo.path)
        plan = resolver.upgrade(before, until=UNTIL)
        assert versions(plan) == {"aa": "1.1", "idna": "3.7"}
        free = resolver.upgrade(
            before, pyproject=(project.repo.path / "pyproject.toml").read_bytes().replace(b"<4", b"")
        )
        assert versions(free) == {"aa": "1.1", "idna": "4.0"}
        made = resolver.apply(before, ["aa==1.1"])
        assert versions(made) == {"aa": "1.1", "idna": "3.7"}
        assert isinstance(made, bytes)
        assert b"exclude-newer" not in made
        resolver.require_current(made)
        assert isinstance(resolver.apply(before, ["aa==9"]), Unresolved)
        # What is locked already may stay, however new it is.
        recent = resolver.apply(before, ["idna==3.7"])
        assert isinstance(recent, bytes)
        early = datetime(2025, 1, 1, tzinfo=UTC)
        later = dict.fromkeys(("aa", "idna"), UNTIL)
        assert versions(resolver.upgrade(recent, until=early, later=later)) == {"aa": "1.1", "idna": "3.7"}
        (project.repo.path / "pyproject.toml").write_text(
            (project.repo.path / "pyproject.toml").read_text("utf-8").replace("idna<4", "idna>=4"), "utf-8"
        )
        with pytest.raises(Refused, match="does not fit the project"):
            resolver.require_current(before)


def test_an_index_that_fails_says_nothing_of_a_lock(tmp_path: Path, uv: Uv) -> None:
    """It is unknown, and not a set of versions that do not fit together."""
    with dated_index(PACKAGES) as index:
        project = LockedProject.new(tmp_path, index, ["aa"], {"aa": "1.0"})
    resolver = UvLockResolver(project=UvProject(uv=impatient(uv)), folder=project.repo.path)
    with pytest.raises(Unknown):
        resolver.apply(project.lock, ["aa==1.1"])


@pytest.mark.parametrize("status", [200, 500])
def test_only_a_whole_audit_counts(tmp_path: Path, uv: Uv, status: int) -> None:
    """A vulnerability is found with what fixes it; a service that fails, or none, is unknown."""
    with (
        dated_index(PACKAGES) as index,
        run_server(lambda each: answer_osv(each, {"idna"}, []) if status == 200 else each.answer(status)) as service,
    ):
        project = LockedProject.new(tmp_path, index, ["idna<4"], {"idna": "3.6"})
        resolver = UvLockResolver(project=UvProject(uv=impatient(uv)), folder=project.repo.path, service=service.url)
        if status != 200:
            with pytest.raises(Unknown) as caught:
                resolver.audit(project.lock, patience=20)
            assert "unmoor deps update --minor --major" in caught.value.next_step
            with pytest.raises(Unknown, match="no service"):
                replace(resolver, service=None).audit(project.lock, patience=20)
            return
        (found,) = resolver.audit(project.lock, patience=20).vulnerabilities
        assert (found.package, found.version, found.fixed) == ("idna", "3.6", ("3.7",))


def test_tests_run_in_a_new_environment(tmp_path: Path, uv: Uv, monkeypatch: pytest.MonkeyPatch) -> None:
    """They find the locked versions, no login of the user, and nothing of an earlier run."""
    monkeypatch.setenv("GH_TOKEN", "secret")
    check = (
        "import idna, os, pathlib, sys\n"
        "left = pathlib.Path('left')\n"
        "sys.exit(f'idna {idna.VERSION}' if idna.VERSION != '3.6' or left.exists() or 'GH_TOKEN' in os.environ"
        " else left.write_text('x') and 0)\n"
    )
    with dated_index(PACKAGES) as index:
        project = LockedProject.new(tmp_path, index, ["idna<4"], {"idna": "3.6"})
        project.repo.commit({"check.py": check}, "Check")
        uv_project = UvProject(uv=uv)

        def copy(folder: Path) -> Path:
            project.repo.git("worktree", "prune")
            project.repo.git("clone", "--quiet", str(project.repo.path), str(folder))
            return folder

        tests = UvLockTests(
            project=uv_project,
            copy=copy,
            suite=Suite(command="python {project}/check.py"),
            selection=("--all-extras", "--all-groups"),
            timeout=60,
        )
        assert tests.run(project.lock).why == ""
        assert tests.run(project.lock).passed
        made = UvLockResolver(project=uv_project, folder=project.repo.path).apply(project.lock, ["idna==3.7"])
        assert isinstance(made, bytes)
        assert "idna 3.7" in tests.run(made).why
        slow = replace(tests, suite=Suite(command="python -c 'import time; time.sleep(60)'"), timeout=0.2)
        assert "ran for more than 0.2 s" in slow.run(project.lock).why
        assert not (project.repo.path / ".venv").exists()
