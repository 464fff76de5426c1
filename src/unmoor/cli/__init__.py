"""The command line. It parses options, runs a command and returns its exit code.

Only this package prints and exits, and no other package imports it. Begin with `app`, which lists the commands, then
read `session`, which runs the stages for every command that needs them.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line. Answer a lone ``--version`` without importing anything else."""
    import os  # Python has imported both already
    import sys

    if os.environ.get("PYTHONPATH") is not None:
        from unmoor.util.import_path import drop_repositories

        drop_repositories()
    if not all(each.startswith(os.sep) for each in os.environ.get("PATH", os.sep).split(os.pathsep)):
        from unmoor.util.import_path import drop_relative_programs

        drop_relative_programs()

    if sys.argv[1:] == ["--version"]:
        from unmoor._version import version

        sys.stdout.write(f"unmoor {version}\n")
        return
    from unmoor.cli.app import run

    sys.exit(run(sys.argv[1:]))
