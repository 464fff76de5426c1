"""Compare `unmoor check` with the usual hooks over the same files.

    python -m bench.checks [TRIES]

The project has 500 modules of 3 MB together, a package's usual files and one workflow; with ``--staged`` five of the
modules are staged. The hooks are check-ast, check-toml and check-yaml of pre-commit-hooks and validate-pyproject, one
process each, as pre-commit starts them. `unmoor check` also reads the version, fragments, files and git. It is measured
without ruff, so that its own parser reads the modules, and with ruff. All run in turns as processes of an environment
with compiled bytecode: once without counting, then TRIES times (default 10). Times are medians.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from bench.measuring import ROOT, environ, environment, run, seconds, table

LIMITS = {"check": 1.0, "check, with ruff": 1.0, "check --staged": 0.3, "check --staged, with ruff": 0.3}
"""Seconds that a command may take on an idle machine."""
MODULES, BYTES, STAGED = 500, 3_000_000, 5
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "large"
version = "1.0"
requires-python = ">=3.11"
readme = "README.md"
license = "MIT"
"""
WORKFLOW = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: [{run: make test}]\n"
FUNCTION = '''

def function_{number}(first: int, *others: str, name: str = "") -> list[str]:
    """Return the names of what is given, the first of them {number} times."""
    found = [each.strip() for each in others if each and not each.startswith("#")]
    if first > {number}:
        found += [f"{{name}}-{{first}}" for _ in range(first)]
    return sorted(found, key=lambda each: (len(each), each))
'''


def project(folder: Path) -> tuple[list[str], list[str]]:
    """Make a repository, and return its modules, and those of them that are staged."""
    files = {"pyproject.toml": PYPROJECT, ".github/workflows/test.yml": WORKFLOW, ".gitignore": "build\n"}
    files |= {"README.md": "# large\n", "LICENSE": "MIT\n", "CHANGELOG.md": "# Changes\n"}
    each = "".join(FUNCTION.format(number=number) for number in range(BYTES // MODULES // len(FUNCTION)))
    modules = [f"src/large/module_{number}.py" for number in range(MODULES)]
    files |= dict.fromkeys(modules, f'"""A module."""\n{each}')
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    for command in (["init", "--quiet"], ["add", "."], [*IDENTITY, "commit", "--quiet", "-m", "All"]):
        run(["git", *command], cwd=folder)
    staged = modules[:STAGED]
    for name in staged:
        (folder / name).write_text(f'"""Changed."""\n{each}', encoding="utf-8", newline="\n")
    run(["git", "add", *staged], cwd=folder)
    return modules, staged


def hooks(scripts: Path, modules: list[str], *, metadata: bool) -> list[list[str | Path]]:
    """The processes that pre-commit would start for these modules, and for the other files if those are checked too."""
    found: list[list[str | Path]] = [[scripts / "check-ast", *modules]]
    if metadata:
        found += [[scripts / "check-toml", "pyproject.toml"], [scripts / "validate-pyproject", "pyproject.toml"]]
        found += [[scripts / "check-yaml", ".github/workflows/test.yml"]]
    return found


def main() -> int:
    """Measure and print a table. Return 1 if a limit is exceeded."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    ours = environment("checks", str(ROOT))
    with_ruff = environment("checks-ruff", str(ROOT), "ruff")
    theirs = environment("checks-hooks", "pre-commit-hooks", "validate-pyproject", "trove-classifiers")
    with tempfile.TemporaryDirectory(prefix="unmoor-bench-") as temporary:
        here = Path(temporary) / "large"
        modules, staged = project(here)
        commands: dict[str, tuple[Path, list[list[str | Path]]]] = {
            "hooks": (theirs, hooks(theirs, modules, metadata=True)),
            "check": (ours, [[ours / "unmoor", "check"]]),
            "check, with ruff": (with_ruff, [[with_ruff / "unmoor", "check"]]),
            "hooks --staged": (theirs, hooks(theirs, staged, metadata=False)),
            "check --staged": (ours, [[ours / "unmoor", "check", "--staged"]]),
            "check --staged, with ruff": (with_ruff, [[with_ruff / "unmoor", "check", "--staged"]]),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for attempt in range(tries + 1):
            for name, (scripts, each) in commands.items():
                taken = sum(seconds(command, cwd=here, env=environ(scripts)) for command in each)
                times[name] += [taken] if attempt else []  # the first run fills the caches
    middle = {name: statistics.median(each) for name, each in times.items()}
    rows = [(name, f"{each:.2f}", f"{each / middle[_beside(name)]:.2f}") for name, each in middle.items()]
    table((f"{MODULES} modules of {BYTES / 1e6:.0f} MB", "seconds", "of the hooks"), rows)
    slow = {name: most for name, most in LIMITS.items() if middle[name] > most}
    for name, most in slow.items():
        print(f"{name}: {middle[name]:.2f} s, and at most {most} s on an idle machine")
    return int(bool(slow))


def _beside(name: str) -> str:
    return "hooks --staged" if "--staged" in name else "hooks"


if __name__ == "__main__":
    sys.exit(main())
