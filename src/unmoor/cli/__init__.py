"""The command line. It parses options, runs a command and returns its exit code.

Only this package prints and exits, and no other package imports it. Begin with `app`, which lists the commands, then
read `session`, which runs the stages for every command that needs them.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line. Answer a lone ``--version`` without importing anything else."""
    import os  # Python has imported both already
    import sys

    if sys.argv[1:] != ["--version"]:
        _end_at_signals()
    if sys.getfilesystemencoding() != "utf-8":
        from unmoor.adapters.process.utf8_mode import restart_in_utf8_mode

        restart_in_utf8_mode()
    if os.environ.get("PYTHONPATH") is not None:
        from unmoor.util.import_path import drop_repositories

        drop_repositories()
    path = os.environ.get("PATH")
    if path is not None and not all(map(os.path.isabs, path.split(os.pathsep))):
        from unmoor.util.import_path import drop_relative_programs

        drop_relative_programs()

    if sys.argv[1:] == ["--version"]:
        from unmoor._version import version

        sys.stdout.write(f"unmoor {version}\n")
        return
    sys.exit(_run_stoppably(sys.argv[1:]))


def _run_stoppably(args: list[str]) -> int:
    """Run the command line. A signal before the command handles it, even during an import, is one line.

    Its exit code is that of the signal: 130 for SIGINT, 143 for SIGTERM.
    """
    import gc
    import sys

    # Almost every object of a short program stays until its end. Looking for garbage among them, again and again while
    # modules are imported, takes a tenth of the start.
    gc.set_threshold(20_000, 50, 50)

    from unmoor.adapters.process.interrupts import exit_code_of, interrupted_by_signals
    from unmoor.cli.app import run

    try:
        with interrupted_by_signals(_end):
            code = run(args)
    except KeyboardInterrupt:
        sys.stderr.write(_STOPPED)
        code = 130
    return exit_code_of(code)


_STOPPED = "error: stopped before it was finished\n"


def _end_at_signals() -> None:
    """End at once for a signal until something is at stake, in the very first moment too.

    The module ``signal`` itself would take a while to import. One that is ignored stays so.
    """
    import _signal  # type: ignore[import-not-found] # typeshed has none

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(_signal, name, None)
        if number is not None and _signal.getsignal(number) in {_signal.SIG_DFL, _signal.default_int_handler}:
            _signal.signal(number, _end)


def _end(number: int, _frame: object) -> None:
    """Say so, and end with the exit code of the signal. No exception: where Python imports, it may drop one."""
    import _signal
    import os

    os.write(2, _STOPPED.encode())
    # What a console of Windows sends has no number that a shell knows.
    os._exit(130 if number == getattr(_signal, "SIGBREAK", None) else 128 + number)
