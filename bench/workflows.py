"""Compare `workflows check` with the schema check of the same files.

    python -m bench.workflows [TRIES]

The files are those that `workflows write` makes for the bundled example, a Python package with images: a release
workflow, CI, its tests and build, security and the updates of dependencies. `check-jsonschema` validates the workflows
against the published schema; `workflows check` compares the meaning of each file with what the settings ask for. Both
run in turns as processes of one environment with compiled bytecode: once without counting, then TRIES times (default
10). Times are medians.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from bench.measuring import ROOT, environ, environment, run, seconds, table

LIMIT = 0.3
"""Seconds that `workflows check` may take on an idle machine."""
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
# Nothing installs this list, and its version is higher than any that the check could ask for.
TOOL_LIST = f"unmoor==999.0 \\\n    --hash=sha256:{'0' * 64}\n"


def project(folder: Path, scripts: Path) -> Path:
    """Copy the example into a repository with a remote, and write its workflows."""
    here = shutil.copytree(ROOT / "examples" / "lighthouse", folder / "lighthouse")
    (folder / "list.txt").write_text(TOOL_LIST, encoding="utf-8", newline="\n")
    for command in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["remote", "add", "origin", "https://github.com/acme/lighthouse.git"],
        ["add", "."],
        [*IDENTITY, "commit", "--quiet", "-m", "All"],
    ):
        run(["git", *command], cwd=here)
    run([scripts / "unmoor", "workflows", "write", "--tool", folder / "list.txt"], cwd=here, env=environ(scripts))
    return here


def main() -> int:
    """Measure and print a table. Return 1 if the limit is exceeded."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    scripts = environment("workflows", str(ROOT), "check-jsonschema")
    with tempfile.TemporaryDirectory(prefix="unmoor-bench-") as temporary:
        here = project(Path(temporary), scripts)
        files = sorted((here / ".github" / "workflows").glob("*.yml"))
        commands: dict[str, list[str | Path]] = {
            "check-jsonschema": [scripts / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files],
            "workflows check": [scripts / "unmoor", "workflows", "check"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(tries + 1):
            for name, command in commands.items():
                times[name].append(seconds(command, cwd=here, env=environ(scripts)))
    middle = {name: statistics.median(each[1:]) for name, each in times.items()}
    table((f"{len(files)} workflows", "seconds"), [(name, f"{each:.2f}") for name, each in middle.items()])
    ours = middle["workflows check"]
    print(
        f"workflows check / check-jsonschema: {ours / middle['check-jsonschema']:.2f}; {ours:.2f} s (at most {LIMIT})"
    )
    return int(ours > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
