"""A ``__version__`` that disagrees with the release is a warning, with the file and line where it can be corrected."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.sample_values import sample_release

from unmoor.artifacts.files import describe_file
from unmoor.dists.checks import Examiner
from unmoor.dists.checks.versions import check_file
from unmoor.util.values import replace

OLD = '"""Docs."""\n\n__version__ = "1.0"\n'


@pytest.mark.parametrize(
    ("modules", "where"),
    [
        ({"small_one/__init__.py": OLD}, "src/small_one/__init__.py, line 3 says version 1.0"),
        (
            {
                "small_one/__init__.py": "from ._version import version as __version__\n",
                "small_one/_version.py": "version = '0.9'\n",
            },
            "small_one/_version.py, line 1 says version 0.9",
        ),
        ({"small_one.py": "__version__: str = 'v1.0'\n"}, "small_one.py, line 1 says version v1.0"),
        ({"small_one-1.1.data/purelib/small_one.py": OLD}, "small_one.py, line 3 says version 1.0"),
        ({"small_one/__init__.py": OLD.replace("1.0", "1.1")}, ""),
        ({"small_one/__init__.py": OLD.replace("1.0", "1.1.0+local")}, ""),
        ({"small_one/__init__.py": OLD.replace("1.0", "unknown")}, ""),
        ({"small_one/__init__.py": "from importlib.metadata import version\n__version__ = version('small-one')\n"}, ""),
        ({"small_one/__init__.py": "__version__ = '1.0' if True else ''\n"}, ""),
        ({"small_one/__init__.py": "def f(:\n__version__ = '1.0'\n"}, ""),
        ({"small_one/__init__.py": "", "other/__init__.py": OLD}, ""),
    ],
)
def test_another_version_in_a_module(tmp_path: Path, modules: dict[str, str], where: str) -> None:
    """Only a literal of a module with the project's name counts, in the module itself or where it imports it from."""
    wheel = tmp_path / "small_one-1.1-py3-none-any.whl"
    sample_projects.write_wheel(wheel, "small_one", modules, "1.1")
    found = Examiner().examine(describe_file(wheel))
    release = replace(sample_release(), version="1.1")
    problems = [each.what for each in check_file(found, ["src/small_one/__init__.py", "README"], release)]
    assert [each.partition(", but")[0] for each in problems] == ([where] if where else [])
