"""Let pytest record what it did: a plugin for its command line, which writes lines of JSON.

Why not pytest's own JUnit XML: it is written at the end, so a test that crashes, hangs or calls ``os._exit`` leaves
nothing; a project that turns it off (``-p no:junitxml``) makes pytest refuse the option; it holds exceptions only as
text, which ``--tb`` changes; and it says nothing of a session that could not begin. Why not pytest-reportlog: it would
be one more distribution in the environment, loaded by every pytest that the tests start.

The plugin is a module in the environment, named only on the command line, so no other pytest loads it. It keeps no
file open and changes no report.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import msgspec

from unmoor.dists.testing.pytest_record import SuiteRecord, read_record
from unmoor.filesystem.safe_folder import open_regular

_NAME = "_unmoor_record"
# Runs in the environment under test, in any pytest since 6. What it calls is bound early, since tests replace the
# functions of modules (pyfakefs, monkeypatch). With coverage on, "fail_under" and warnings that become errors would
# judge an installed copy by what its author wants of the source.
_CODE = '''"""Not of the project under test: records for unmoor what pytest does. PYTEST_DONT_REWRITE"""
import json, os, sys
import pytest

state = {{"worker": False, "root": "", "texts": 0}}


def put(kind, dumps=json.dumps, open_=os.open, write=os.write, close=os.close, **values):
    try:
        line = dumps(dict(values, kind=kind)).encode() + b"\\n"
        handle = open_({log!r}, {flags}, 0o600)
        try:
            write(handle, line)
        finally:
            close(handle)
    except Exception:
        pass


def plain(text, limit):
    text = str(text).encode("utf-8", "replace").decode()
    return text if len(text) <= limit else text[: limit // 4] + "\\n[...]\\n" + text[-(limit - limit // 4) :]


def text_of(report):
    state["texts"] += 1
    return plain(report.longrepr, 20000) if state["texts"] <= 50 else ""


def cause(error):
    # pytest wraps what a test module or a conftest raised.
    while error.__cause__ is not None and type(error).__module__.partition(".")[0] == "_pytest":
        error = error.__cause__
    files, traceback = [], error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if not name.startswith("<") and traceback.tb_frame.f_globals.get("__name__") != "importlib":
            files.append(name)
        traceback = traceback.tb_next
    return {{
        "error": type(error).__name__,
        "message": plain(error, 1000),
        "warning": isinstance(error, Warning),
        "missing": plain(error.name or "", 300) if isinstance(error, ModuleNotFoundError) else "",
        "file": plain(os.path.realpath(files[-1]), 4000) if files else "",
    }}


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config, parser, args):
    put("loaded")
    given = early_config.known_args_namespace
    if getattr(given, "no_cov", True) is False:
        given.no_cov = True
        if getattr(given, "cov_source", None):
            put("uncovered")
    outcome = yield
    try:
        if outcome.excinfo is not None:
            put("unstarted", **cause(outcome.excinfo[1]))
        else:
            unknown = parser.parse_known_and_unknown_args(list(args))[1]
            unknown = [plain(each, 200) for each in unknown if each.startswith("-")]
            if unknown:
                put("unknown", options=unknown[:20])
    except Exception:
        pass


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    state["worker"] = hasattr(config, "workerinput")
    state["root"] = str(getattr(config, "rootpath", "") or config.rootdir)
    if getattr(config.option, "no_cov", True) is False:
        config.option.no_cov = True


def pytest_sessionstart(session):
    if not state["worker"]:
        put("session")


def pytest_exception_interact(node, call, report):
    # In a worker of pytest-xdist too: the exception does not leave it.
    if isinstance(node, pytest.Collector):
        put("raised", id=plain(node.nodeid, 2000), **cause(call.excinfo.value))


def pytest_collectreport(report):
    if report.failed and not state["worker"]:
        put("collect", id=plain(report.nodeid, 2000), text=text_of(report))


def pytest_deselected(items):
    # Each worker of pytest-xdist deselects the same ones.
    if not state["worker"]:
        put("deselected", count=len(items))


def pytest_runtest_logstart(nodeid, location):
    if not state["worker"]:
        put("start", id=plain(nodeid, 2000))


def pytest_runtest_logreport(report):
    if state["worker"] or (report.when in ("setup", "teardown") and report.passed):
        return
    values = {{}}
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        path, line = report.location[0], report.location[1]
        values = {{
            "text": text_of(report),
            "message": plain(getattr(crash, "message", report.longrepr), 1000),
            "file": plain(os.path.realpath(os.path.join(state["root"], path)), 4000),
            "line": 0 if line is None else line + 1,
            "crash": [plain(crash.path, 4000), crash.lineno] if crash else None,
        }}
    put(
        "report",
        id=plain(report.nodeid, 2000),
        when=str(report.when),
        outcome=str(report.outcome),
        xfail=hasattr(report, "wasxfail"),
        **values
    )


def pytest_keyboard_interrupt(excinfo):
    # pytest.exit() comes here, too, and so do errors of collection: as a KeyboardInterrupt of pytest's own.
    if type(excinfo.value) is KeyboardInterrupt:
        put("killed", code=2)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    # A worker of pytest-xdist that ended before it was asked to. Its test counts as failed.
    if error:
        try:
            code = node.gateway._io.popen.wait(2)
        except Exception:
            return
        if code < 0:
            put("killed", code=-code)


def pytest_internalerror(excrepr, excinfo):
    put("internal", text=plain(excrepr, 20000), **cause(excinfo.value))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if not state["worker"]:
        put("finish", code=int(exitstatus))
'''
# Programs that run the command given to them after their options.
_WRAPPERS = frozenset({"env", "nice", "stdbuf", "time", "timeout", "xvfb-run", "dbus-run-session"})
_PYTEST = frozenset({"pytest", "py.test"})
# Options of Python that take the next word as their value.
_WITH_VALUE = frozenset({"-X", "-W", "--check-hash-based-pycs"})


def place_of_plugin(args: Sequence[str]) -> int:
    """Where in a command line an option of pytest may stand, 0 if the command does not begin pytest by itself.

    >>> place_of_plugin(["python", "-W", "error", "-m", "pytest", "-q"]), place_of_plugin(["make", "pytest"])
    (5, 0)
    """
    start = 0
    if args and PurePath(args[0]).name in _WRAPPERS:
        known = (n for n, word in enumerate(args) if PurePath(word).name in _PYTEST or _is_python(word))
        start = next(known, len(args))
    if start >= len(args):
        return 0
    name = PurePath(args[start]).name
    if name in _PYTEST:
        return start + 1
    if _is_python(args[start]):
        at = _module_of_python(args, start + 1)
        if at and args[at] in _PYTEST:
            return at + 1
        return _pytest_of_coverage(args, at + 1) if at and args[at] == "coverage" else 0
    return _pytest_of_coverage(args, start + 1) if name.startswith("coverage") else 0


def _is_python(word: str) -> bool:
    return PurePath(word).name.rstrip("0123456789.") == "python"


def _module_of_python(args: Sequence[str], at: int) -> int:
    """Where the module of ``python -m MODULE`` stands, 0 if Python runs something else."""
    while at < len(args) and args[at].startswith("-"):
        if args[at] == "-m":
            return at + 1 if at + 1 < len(args) else 0
        if args[at] == "-c":
            return 0
        at += 2 if args[at] in _WITH_VALUE else 1
    return 0


def _pytest_of_coverage(args: Sequence[str], at: int) -> int:
    """Where the options of pytest begin in ``coverage run … -m pytest``, 0 if there is no pytest."""
    if at >= len(args) or args[at] != "run":
        return 0
    pairs = zip(args[at:], args[at + 1 :], strict=False)
    return next((at + n + 2 for n, (one, two) in enumerate(pairs) if one in {"-m", "--module"} and two in _PYTEST), 0)


class Recorder(msgspec.Struct, frozen=True, kw_only=True):
    """The plugin in the folder ``packages`` of an environment. It writes to the new file ``log``."""

    packages: Path
    log: Path

    def added_to(self, args: Sequence[str]) -> list[str] | None:
        """Install the plugin and return the command line with it; ``None`` if the command does not begin pytest."""
        at = place_of_plugin(args)
        if not at or not (self.packages / "_pytest").is_dir():
            return None
        flags = "os.O_WRONLY | os.O_APPEND | os.O_CREAT"
        (self.packages / f"{_NAME}.py").write_text(_CODE.format(log=str(self.log), flags=flags), "utf-8")
        return [*args[:at], "-p", _NAME, *args[at:]]

    def read(self) -> SuiteRecord | None:
        """Read what pytest has recorded until now; ``None`` if it has not even begun."""
        try:
            with open_regular(self.log) as stream:
                return read_record(stream)
        except FileNotFoundError:
            return None
