"""The command line: flags in, one exit out. The only place that prints, and the only one that exits.

No room imports it. Begin with `app`, the commands by name, then `session`, where every command that runs stages
ends up.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line. ``--version`` alone is answered before anything is imported."""
    import sys

    if sys.argv[1:] == ["--version"]:
        from unmoor._version import version

        sys.stdout.write(f"unmoor {version}\n")
        return
    from unmoor.cli.app import run

    sys.exit(run(sys.argv[1:]))
