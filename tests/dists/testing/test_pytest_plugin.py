"""The plugin records what pytest does, without a change to what pytest says of it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from unmoor.dists.testing.pytest_plugin import Recorder, place_of_plugin
from unmoor.dists.testing.pytest_record import SuiteRecord


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest -q", "pytest HERE -q"),
        ("/env/bin/py.test", "/env/bin/py.test HERE"),
        ("python -m pytest {project}/tests", "python -m pytest HERE {project}/tests"),
        ("python3.12 -W error -Xdev -bb -m pytest", "python3.12 -W error -Xdev -bb -m pytest HERE"),
        ("python -m py.test", "python -m py.test HERE"),
        ("coverage run -m pytest x", "coverage run -m pytest HERE x"),
        ("coverage run --source a --branch --module pytest", "coverage run --source a --branch --module pytest HERE"),
        ("python -m coverage run -p -m pytest", "python -m coverage run -p -m pytest HERE"),
        ("coverage3 run -m pytest", "coverage3 run -m pytest HERE"),
        ("env A=pytest B=2 pytest -x", "env A=pytest B=2 pytest HERE -x"),
        ("xvfb-run -a python -m pytest", "xvfb-run -a python -m pytest HERE"),
        ("timeout 60 pytest", "timeout 60 pytest HERE"),
        ("python -m unittest pytest", ""),
        ("python -c 'import pytest' -m pytest", ""),
        ("python tests/run.py -m pytest", ""),
        ("python -m", ""),
        ("python", ""),
        ("coverage report -m pytest", ""),
        ("coverage run tests/run.py", ""),
        ("make pytest", ""),
        ("tox -- -m pytest", ""),
        ("nox -s pytest", ""),
        ("env A=1", ""),
        ("pytester", ""),
        ("", ""),
    ],
)
def test_place(command: str, expected: str) -> None:
    """A command that begins pytest by itself is recognised; any other stays as it is."""
    args = shlex.split(command)
    at = place_of_plugin(args)
    assert (shlex.join([*args[:at], "HERE", *args[at:]]) if at else "") == (
        shlex.join(shlex.split(expected)) if expected else ""
    )


class Suite(NamedTuple):
    """A folder for tests, and the recorder beside it."""

    folder: Path
    recorder: Recorder

    def run(self, *args: str, **files: str) -> tuple[int, str, SuiteRecord | None]:
        """Run pytest on files. Returns its exit code, what it printed, and the record."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)
        given = self.recorder.added_to([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args])
        assert given is not None
        # Loading every plugin of this environment takes longer than the rest.
        env = {"PYTHONPATH": str(self.recorder.packages), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        ran = subprocess.run(given, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout + ran.stderr, self.recorder.read()


@pytest.fixture(name="suite")
def make_suite(tmp_path: Path) -> Suite:
    """A folder for the tests; pytest comes from this environment."""
    folder, packages = tmp_path / "tests", tmp_path / "packages"
    folder.mkdir()
    (packages / "_pytest_is_here" / ".." / "_pytest").mkdir(parents=True)
    (packages / "_pytest").rmdir()
    (packages / "_pytest").symlink_to(Path(pytest.__file__).parent.parent / "_pytest")
    return Suite(folder, Recorder(packages=packages, log=tmp_path / "record"))


EVERYTHING = """
import pytest

def test_ok(): pass
def test_bad(): assert 1 == 2, "n\\u00f6"
def test_skip(): pytest.skip("x")
@pytest.mark.xfail
def test_xfail(): assert 0
@pytest.mark.xfail(strict=False)
def test_xpass(): pass
@pytest.fixture
def broken(): raise RuntimeError("setup")
def test_broken(broken): pass
@pytest.fixture
def late():
    yield
    raise RuntimeError("teardown")
def test_late(late): pass
@pytest.mark.parametrize("n", range(3))
def test_many(n, pytestconfig):
    assert n < 2
"""


def test_counts_are_pytests_own(suite: Suite) -> None:
    """The numbers are those that pytest prints, and each failure has its name, place and traceback."""
    code, printed, record = suite.run(test_all=EVERYTHING)
    assert record is not None
    own = re.search(r"\n(.*) in [0-9.]+s", printed)
    assert own is not None
    assert (code, set(record.counts.split(", "))) == (1, set(own[1].split(", ")))
    assert (record.opened, record.begun, record.finished, record.uncovered) == (True, True, True, False)
    names = [each.id.rpartition("::")[2] for each in record.failures]
    assert names == ["test_bad", "test_broken", "test_late", "test_many[2]"]
    first = record.failures[0]
    path = str(suite.folder.resolve() / "test_all.py")
    assert (first.file, first.line, first.crash) == (path, 5, (path, 5))
    assert "AssertionError: nö" in first.message
    assert "assert 1 == 2" in first.text


UNIMPORTABLE = {
    "test_plain": ("import absent.more", ("absent", "test_plain.py")),
    "test_helped": ("import helper", ("gone", "helper.py")),
    "test_called": ("from importlib import import_module as i\ni('absent')", ("absent", "test_called.py")),
    "test_name": ("from os import absent", ("", "test_name.py")),
    "test_caught": (
        "try:\n    import absent\nexcept ImportError as e:\n    raise RuntimeError from e",
        ("", "test_caught.py"),
    ),
    "test_broken": ("raise AttributeError('x')", ("", "test_broken.py")),
}


@pytest.mark.parametrize("options", [(), ("--tb=no",), ("-p", "xdist", "-n1")])
def test_modules_that_cannot_be_collected(suite: Suite, options: tuple[str, ...]) -> None:
    """The missing module and the file that wanted it are known, whatever the options, and in workers too."""
    files = {name: text for name, (text, _) in UNIMPORTABLE.items()}
    _, printed, record = suite.run(*options, **files, helper="import gone")
    assert record is not None
    found = {each.id.removesuffix(".py"): (each.missing, Path(each.file).name) for each in record.collection}
    assert found == {name: expected for name, (_, expected) in UNIMPORTABLE.items()}, printed
    assert not record.begun


@pytest.mark.parametrize(
    ("files", "args", "code", "words"),
    [
        ({"test_a": "import os\ndef test_1(): pass\ndef test_2(): os._exit(0)"}, (), 0, "last='test_a.py::test_2'"),
        ({"test_a": "import os\ndef test_1(): os.kill(os.getpid(), 11)"}, (), -11, "last='test_a.py::test_1'"),
        ({"test_a": "", "conftest": "import absent"}, (), 4, "missing='absent'"),
        (
            {"test_a": "", "conftest": "import warnings\nwarnings.warn('old')"},
            ("-W", "error"),
            4,
            "error='UserWarning', message='old', missing='', warning=True",
        ),
        ({"test_a": ""}, ("--cov=x",), 4, "unknown_options=('--cov=x',)"),
        (
            {"test_a": "def test_1(): pass", "conftest": "def pytest_runtest_logfinish(): raise ValueError('x')"},
            (),
            3,
            "internal=Raised(id='', error='ValueError', message='x'",
        ),
        (
            {"test_a": "import os, time\ndef test_1():\n    os.kill(os.getpid(), 2)\n    time.sleep(9)"},
            (),
            2,
            "killed=2",
        ),
        ({"test_a": "import pytest\ndef test_1(): pytest.exit('enough')"}, (), 2, "killed=0"),
        ({"test_a": "import os\ndef test_1(): os.kill(os.getpid(), 9)"}, ("-pxdist", "-n1"), 1, "killed=9"),
        ({"test_a": "import os\ndef test_1(): os.kill(os.getpid(), 11)"}, ("-pxdist", "-n1"), 1, "killed=11"),
    ],
)
def test_what_ends_early(suite: Suite, files: dict[str, str], args: tuple[str, ...], code: int, words: str) -> None:
    """A session that does not come to its end leaves the test that began last, and the reason if pytest knows it."""
    ended, printed, record = suite.run(*args, **files)
    assert ended == code, printed
    assert words in str(record)
    assert record is not None
    assert record.finished == (code in {1, 2, 3})


def test_workers_are_recorded_once(suite: Suite) -> None:
    """With pytest-xdist each test counts once."""
    _, printed, record = suite.run("-p", "xdist", "-n1", test_all=EVERYTHING)
    assert record is not None
    own = re.search(r"\n(.*) in [0-9.]+s", printed)
    assert own is not None
    assert set(record.counts.split(", ")) == set(own[1].split(", "))


def test_tests_do_not_see_the_plugin(suite: Suite) -> None:
    """A pytest that a test starts does not load it, and the files of the environment stay closed."""
    test = """
import os, subprocess, sys

def test_other():
    args = [sys.executable, "-m", "pytest", "--trace-config", "--collect-only"]
    assert "_unmoor_record" not in subprocess.run(args, capture_output=True, text=True).stdout

def test_files():
    paths = (f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd"))
    assert not any(os.readlink(path).endswith("/record") for path in paths if os.path.exists(path))
"""
    code, printed, _ = suite.run(test_a=test)
    assert code == 0, printed


def test_another_command_gets_no_plugin(tmp_path: Path) -> None:
    """Without pytest in the environment, or with another runner, nothing is added."""
    recorder = Recorder(packages=tmp_path, log=tmp_path / "record")
    assert recorder.added_to(["pytest"]) is None
    (tmp_path / "_pytest").mkdir()
    assert recorder.added_to(["make", "test"]) is None
    assert recorder.added_to(["pytest"]) == ["pytest", "-p", "_unmoor_record"]
    assert recorder.read() is None
