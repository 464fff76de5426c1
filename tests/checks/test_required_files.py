"""Files that must be there."""

from __future__ import annotations

import pytest
from tests.support.checked import found_by

from unmoor.checks.required_files import CHECK

PROJECT = '[project]\nname = "demo"\n'
SETTINGS = PROJECT + '[tool.unmoor.checks]\nrequired = ["SECURITY.md", "licen*|copying*"]\n'
READMES = '[tool.setuptools.dynamic]\nreadme = { file = ["README.md", "MORE.md"] }\nversion = { attr = "a.b" }\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": PROJECT}, []),
        ({"pyproject.toml": SETTINGS, "SECURITY.md": "", "COPYING.txt": ""}, []),
        (
            {"pyproject.toml": SETTINGS, "SECURITY.md": ""},
            ["there is no licen*|copying*, which the settings require"],
        ),
        (
            {"pyproject.toml": PROJECT + 'readme = "README.md"\n'},
            ["pyproject.toml: project.readme names README.md, and there is no such file"],
        ),
        ({"pyproject.toml": PROJECT + 'readme = { file = "README.md" }\n', "README.md": ""}, []),
        ({"pyproject.toml": PROJECT + 'license = "MIT"\n'}, []),
        (
            {"pyproject.toml": PROJECT + 'license = { file = "LICENSE" }\n'},
            ["pyproject.toml: project.license names LICENSE, and there is no such file"],
        ),
        (
            {"pyproject.toml": PROJECT + READMES, "README.md": ""},
            ["pyproject.toml: tool.setuptools.dynamic.readme names MORE.md, and there is no such file"],
        ),
    ],
    ids=["none", "there", "one", "readme", "table", "expression", "licence", "dynamic"],
)
def test_what_must_be_there(files: dict[str, str], expected: list[str]) -> None:
    """The settings require files, and so does every file that the metadata names."""
    assert found_by(CHECK, files) == expected
