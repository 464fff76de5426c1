"""On Windows a program and all that it starts are in a job that ends with unmoor, and every wait can be woken."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.windows_process_model import PATIENCE, ModelKernel, ModelProcess

from unmoor.adapters.process import windows_calls
from unmoor.adapters.process.process_system import Child, Command
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import MARK, Processes
from unmoor.adapters.process.windows import WindowsSystem
from unmoor.adapters.process.windows_calls import ENDED_BY_CONSOLE
from unmoor.errors import Interrupted, TimedOut, ToolMissing
from unmoor.ports.shell import ProcessLimits

ENV = {"Path": r"C:\tools"}
Program = Callable[[ModelProcess], None]


def waits(process: ModelProcess) -> None:
    """A program that ends once it is told to."""
    process.told.wait(PATIENCE)
    process.exit(ENDED_BY_CONSOLE)


def deaf(process: ModelProcess) -> None:
    """A program that ends with its job only."""
    process.killed.wait(PATIENCE)


def talks(process: ModelProcess) -> None:
    """A program that writes to both streams, and fails."""
    process.print(b"out\r\n")
    process.print(b"err\r\n", err=True)
    process.exit(3)


def echoes(process: ModelProcess) -> None:
    """A program that writes what it reads."""
    assert process.input is not None
    process.print(process.input.read())
    process.exit(0)


@pytest.fixture
def kernel() -> Iterator[ModelKernel]:
    """A model of Windows."""
    kernel = ModelKernel()
    yield kernel
    kernel.clean_up()


@pytest.fixture
def processes(kernel: ModelKernel) -> Processes:
    """Processes on that model."""
    processes = Processes()
    processes.system = WindowsSystem(kernel)
    return processes


@pytest.fixture
def shell(processes: Processes) -> LocalShell:
    """A shell on that model."""
    return LocalShell(processes=processes)


def start(processes: Processes, tmp_path: Path, *, stdin: bytes = b"") -> Child:
    """Start the program of the model."""
    return processes.start(["tool", "x"], cwd=tmp_path, env=ENV, stdin=stdin)


def test_a_program_runs_only_in_its_job(
    kernel: ModelKernel, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is created suspended, put into a new job, and resumed: nothing that it starts can be outside."""
    monkeypatch.setenv("SYSTEMROOT", r"C:\Windows")
    child = start(processes, tmp_path)
    assert child.ended(PATIENCE)
    assert processes.end(child) == 0
    assert kernel.log == ["job", "spawn", "add", "resume", "terminate", "close job", "close process"]
    assert kernel.born_outside == [], "it would stay, suspended, if unmoor were ended right now"
    (process,) = kernel.processes
    assert process.args == (r"C:\tools\tool.exe", "x")
    assert {name: process.env[name] for name in ("Path", "SYSTEMROOT")} == {**ENV, "SYSTEMROOT": r"C:\Windows"}
    assert process.env[MARK].endswith(".1")


def test_the_variables_that_windows_needs_may_be_given(
    kernel: ModelKernel, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name in another case is the same variable, and is not given twice."""
    monkeypatch.setenv("SYSTEMROOT", r"C:\Windows")
    processes.end(processes.start(["tool"], cwd=tmp_path, env={**ENV, "SystemRoot": r"D:\Windows"}))
    (process,) = kernel.processes
    assert [(name, value) for name, value in process.env.items() if name.upper() == "SYSTEMROOT"] == [
        ("SystemRoot", r"D:\Windows")
    ]


@pytest.mark.parametrize(
    ("refused", "log"),
    [
        ("job", ["job"]),
        ("spawn", ["job", "spawn", "close job"]),
        ("add", ["job", "spawn", "add", "kill", "close process", "close job"]),
        ("resume", ["job", "spawn", "add", "resume", "kill", "close process", "close job"]),
    ],
)
def test_a_program_that_cannot_be_controlled_does_not_run(
    refused: str, log: list[str], kernel: ModelKernel, processes: Processes, tmp_path: Path
) -> None:
    """If a step fails, the error names the program, and neither a process nor a job is left."""
    kernel.refused = [refused]
    with pytest.raises(ToolMissing, match="cannot use 'tool': Access is denied"):
        start(processes, tmp_path)
    assert kernel.log == log


@pytest.mark.parametrize(
    ("program", "console", "grace", "log", "code"),
    [
        (waits, True, PATIENCE, ["break", "terminate"], ENDED_BY_CONSOLE),
        (deaf, True, 0.01, ["break", "terminate"], ENDED_BY_CONSOLE),
        (deaf, False, PATIENCE, ["break", "terminate"], ENDED_BY_CONSOLE),
    ],
    ids=["it ends by itself", "it does not listen", "there is no console"],
)
def test_the_end_of_a_program(  # noqa: PLR0917 - a row of the table
    program: Program,
    console: bool,  # noqa: FBT001
    grace: float,
    log: list[str],
    code: int,
    kernel: ModelKernel,
    processes: Processes,
    tmp_path: Path,
) -> None:
    """It is told to end, and its job is ended after its time, or at once if it cannot be told."""
    kernel.program, kernel.console = program, console
    child = start(processes, tmp_path)
    before = time.monotonic()
    assert processes.end(child, grace=grace) == code
    assert time.monotonic() - before < PATIENCE / 2
    assert kernel.log[4:6] == log
    assert (processes.end(child), kernel.log.count("terminate")) == (code, 1)


def test_the_end_waits_for_all_processes_of_the_job(kernel: ModelKernel, processes: Processes, tmp_path: Path) -> None:
    """Files that a process still has open cannot be removed, so its end is waited for, too."""
    kernel.slow_ends = 3
    processes.end(start(processes, tmp_path))
    assert kernel.slow_ends == 0


@pytest.mark.parametrize(
    ("program", "stdin", "expected"),
    [
        (talks, b"", (3, "out\n", "err\n")),
        (echoes, b"x" * 60_000, (0, "x" * 60_000, "")),
    ],
)
def test_the_output_of_a_program(  # noqa: PLR0917 - a row of the table
    program: Program,
    stdin: bytes,
    expected: tuple[int, str, str],
    kernel: ModelKernel,
    shell: LocalShell,
    tmp_path: Path,
) -> None:
    """Threads read the pipes to their end, and feed the input. Line ends are those of every system."""
    kernel.program = program
    lines: list[str] = []
    ran = shell.run(["tool"], cwd=tmp_path, env=ENV, stdin=stdin, hear=lines.append)
    assert (ran.code, ran.out, ran.err) == expected
    assert sorted("".join(lines)) == sorted("".join(expected[1:]).replace("\n", ""))


def test_exact_output(kernel: ModelKernel, shell: LocalShell, tmp_path: Path) -> None:
    """If the bytes matter, the line ends stay."""
    kernel.program = talks
    assert shell.run(["tool"], cwd=tmp_path, env=ENV, exact=True).out == "out\r\n"


def test_a_background_process_that_holds_the_pipes(
    kernel: ModelKernel, shell: LocalShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for: the output so far is passed on, and the job ends it."""
    monkeypatch.setattr("unmoor.adapters.process.shell._DRAIN", 0.05)
    kernel.program, kernel.holds_pipes = talks, True
    assert shell.run(["tool"], cwd=tmp_path, env=ENV).out == "out\n"
    assert "terminate" in kernel.log


def test_output_that_comes_too_fast(kernel: ModelKernel, processes: Processes, tmp_path: Path) -> None:
    """It waits in the pipe instead of in unmoor's memory, and nothing waits for ever once nobody reads."""
    wrote: list[int] = []

    def floods(process: ModelProcess) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            for number in range(1_000):
                process.print(b"x" * 65_536)
                wrote.append(number)

    kernel.program = floods
    child = start(processes, tmp_path)
    threads = threading.active_count()
    with child.reading(lambda _chunk: None, lambda _chunk: None):
        so_far = -1
        while len(wrote) < 16 or len(wrote) > so_far:
            so_far = len(wrote)
            time.sleep(0.05)
        assert so_far < 50
    kernel.processes[0].close_pipes()
    processes.end(child, grace=0.0)
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= threads


def test_a_time_out(kernel: ModelKernel, shell: LocalShell, tmp_path: Path) -> None:
    """A program that runs too long is told to end."""
    kernel.program = waits
    with pytest.raises(TimedOut, match=r"tool ran for more than 0\.05 s"):
        shell.run(["tool"], cwd=tmp_path, env=ENV, timeout=0.05)
    assert "break" in kernel.log


def test_too_much_input(kernel: ModelKernel, processes: Processes, tmp_path: Path) -> None:
    """As on every system, it is an error before the program starts."""
    with pytest.raises(ToolMissing, match="too large"):
        start(processes, tmp_path, stdin=b"x" * 100_000)
    assert kernel.log == []


@pytest.mark.parametrize(
    ("args", "words"),
    [(["none"], "there is no program 'none'"), (["npm", "run", "a&b"], "cannot pass 'a&b' to the batch file npm")],
)
def test_what_does_not_start(
    args: list[str], words: str, kernel: ModelKernel, processes: Processes, tmp_path: Path
) -> None:
    """A missing program, and a batch file with an argument that cmd.exe would change, are errors before a job."""
    with pytest.raises(ToolMissing, match=words):
        processes.start(args, cwd=tmp_path, env=ENV)
    assert kernel.log == []


def test_limits_are_those_of_the_job(kernel: ModelKernel, processes: Processes, tmp_path: Path) -> None:
    """The system enforces them, so nothing looks at the memory."""
    limits = ProcessLimits(memory=1 << 30, seconds=60)
    child = processes.start(["tool"], cwd=tmp_path, env=ENV, limits=limits)
    assert (kernel.limits, child.over_memory()) == (limits, False)
    processes.end(child)


@pytest.mark.parametrize("event", [windows_calls.CTRL_C, windows_calls.CTRL_BREAK])
def test_the_console_stops_a_run(
    event: int, kernel: ModelKernel, processes: Processes, shell: LocalShell, tmp_path: Path
) -> None:
    """The first event wakes what waits and ends the programs, while the main thread waits; the second ends unmoor."""
    kernel.program = waits
    errors: list[BaseException] = []

    def work() -> None:
        try:
            shell.run(["tool"], cwd=tmp_path, env=ENV)
        except Interrupted as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    with processes.guarded():
        thread.start()
        kernel.send(event).join(PATIENCE)
        thread.join(PATIENCE)
        assert len(errors) == 1
        assert "exit 130" not in kernel.log
        kernel.send(event).join(PATIENCE)
        assert "exit 130" in kernel.log
    assert kernel.handlers == []
    with pytest.raises(Interrupted):
        processes.check()


@pytest.mark.parametrize("event", [windows_calls.CLOSE, windows_calls.LOG_OFF, windows_calls.SHUT_DOWN])
def test_a_console_that_closes(event: int, kernel: ModelKernel, processes: Processes) -> None:
    """Windows ends unmoor when the handler returns, so it does not return while the run ends."""
    with processes.guarded():
        handler = kernel.send(event)
        with pytest.raises(Interrupted):
            processes.sleep(PATIENCE)
    assert handler.is_alive()
    kernel.over.set()
    handler.join(PATIENCE)
    assert not handler.is_alive()
    assert "exit 130" not in kernel.log


def test_ctrl_break_reaches_programs_before_us(
    kernel: ModelKernel, processes: Processes, shell: LocalShell, tmp_path: Path
) -> None:
    """A program that the console has ended is no failure if the stop of the run arrives just after."""
    kernel.program = lambda process: process.exit(ENDED_BY_CONSOLE)
    with pytest.raises(ToolMissing, match="tool was killed by Ctrl-C, Ctrl-Break or the end of its console"):
        shell.run(["tool"], cwd=tmp_path, env=ENV)
    threading.Timer(0.05, processes.stop).start()
    with pytest.raises(Interrupted):
        shell.run(["tool"], cwd=tmp_path, env=ENV)


def test_the_end_of_the_run(kernel: ModelKernel, processes: Processes, tmp_path: Path) -> None:
    """What still runs ends with the run, even if nobody has waited for it; what has ended is left alone."""
    processes.end(start(processes, tmp_path))
    kernel.program = deaf
    child = start(processes, tmp_path)
    kernel.log.clear()
    processes.close()
    assert kernel.log == ["terminate"]
    assert child.ended(PATIENCE)
    processes.close()
    processes.end(child)
    kernel.log.clear()
    processes.close()
    assert kernel.log == []


def test_output_that_nobody_reads(kernel: ModelKernel, processes: Processes, tmp_path: Path) -> None:
    """The pipes of a program that is ended without being read are closed."""
    child = start(processes, tmp_path)
    processes.end(child)
    (process,) = kernel.processes
    assert all(pipe.closed for pipe in process.pipes if pipe is not None)


def test_a_log(kernel: ModelKernel, processes: Processes, tmp_path: Path) -> None:
    """Output may go to a file instead of pipes; an engine's containers are nothing to care for."""
    log = tmp_path / "log"
    child = processes.start(["tool"], cwd=tmp_path, env=ENV, log=log)
    with processes.containers("npipe:"):
        processes.note_orphans()
    processes.end(child)
    assert [each.pipes for each in kernel.processes] == [(None, None, None)]
    assert log.read_bytes() == b""


def test_a_command_needs_no_more(tmp_path: Path) -> None:
    """A command has the defaults of a program that only runs."""
    command = Command(program="x", args=(), cwd=tmp_path, env={}, mark="A=1")
    assert (command.umask, command.log, command.stdin, command.limits) == (-1, None, b"", None)
