"""Find and replace every place that says the version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from packaging.version import Version

from unmoor.errors import ConfigError, Refused, UnmoorError
from unmoor.project.version_places import with_new_version

NOW = datetime(2026, 11, 29, tzinfo=UTC)
STATIC = '[project]\nname = "demo"\nversion = "1.2.3"\n'

POETRY = '\n[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
MATURIN = (
    '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n\n'
    '[project]\nname = "demo"\ndynamic = ["version"]\n'
)
CARGO_LOCK = (
    '[[package]]\nname = "demo"\nversion = "1.2.3"\n\n[[package]]\nname = "x"\nversion = "1.2.3"\nsource = "registry"\n'
)


def written(files: Mapping[str, str], new: str = "1.3.0") -> dict[str, str]:
    """The files that change, with their new text."""
    data = {path: text.encode() for path, text in files.items()}
    return {path: content.decode() for path, content in with_new_version(data.get, data, Version(new), NOW).items()}


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ({"pyproject.toml": STATIC}, "pyproject.toml"),
        (
            {"pyproject.toml": STATIC, "src/demo/__init__.py": '__version__ = "1.2.3"\n'},
            "pyproject.toml src/demo/__init__.py",
        ),
        ({"pyproject.toml": STATIC, "src/other/__init__.py": '__version__ = "9"\n'}, "pyproject.toml"),
        (
            {"pyproject.toml": '[tool.poetry]\nname = "demo"\nversion = "1.2.3"\n' + POETRY},
            "pyproject.toml",
        ),
        (
            {
                "pyproject.toml": STATIC + '[tool.bumpversion]\ncurrent_version = "1.2.3"\n'
                '[[tool.bumpversion.files]]\nfilename = "README.md"\nsearch = "demo=={current_version}"\n'
                'replace = "demo=={new_version}"\n',
                "README.md": "pip install demo==1.2.3\nnot 1.2.3\n",
            },
            "README.md pyproject.toml",
        ),
        (
            {
                "setup.cfg": "[metadata]\nname = demo\nversion = 1.2.3\n",
                ".bumpversion.cfg": "[bumpversion]\ncurrent_version = 1.2.3\n\n[bumpversion:file:docs/conf.py]\n",
                "docs/conf.py": 'release = "1.2.3"\n',
            },
            ".bumpversion.cfg docs/conf.py setup.cfg",
        ),
        (
            {
                "pyproject.toml": MATURIN,
                "Cargo.toml": '[package]\nname = "demo"\nversion = "1.2.3"\n',
                "Cargo.lock": CARGO_LOCK,
            },
            "Cargo.lock Cargo.toml",
        ),
    ],
)
def test_every_place_gets_the_version(files: Mapping[str, str], changed: str) -> None:
    """Each file that repeats the version changes, in the places that are known, and no other."""
    found = written(files)
    assert " ".join(sorted(found)) == changed
    assert all(text.count("1.3.0") >= 1 for text in found.values())
    assert all(len(text.splitlines()) == len(files[path].splitlines()) for path, text in found.items())


def test_only_what_is_looked_for_is_replaced() -> None:
    """The same text elsewhere in a file that the table names stays."""
    table = '[tool.bumpversion]\ncurrent_version = "1.2.3"\n[[tool.bumpversion.files]]\nglob = "docs/*.md"\n'
    table += 'search = "v{current_version}"\nreplace = "v{new_version} ({now:%Y-%m-%d})"\n'
    found = written({"pyproject.toml": STATIC + table, "docs/a.md": "v1.2.3\r\n1.2.3\r\n"})
    assert found["docs/a.md"] == "v1.3.0 (2026-11-29)\r\n1.2.3\r\n"
    assert 'current_version = "1.3.0"' in found["pyproject.toml"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('filename = "gone.md"', "is not in the repository"),
        ('filename = "README.md"', "does not contain"),
        ('filename = "README.md"\nregex = true', "regex is not supported"),
        ('filename = "README.md"\nserialize = ["{major}"]', "serialize of a single file"),
        ('filename = "README.md"\nsearch = "{new_version.__class__}"', "is not supported"),
        ('filename = "README.md"\nsearch = "{"', "is not a template"),
        ('search = "x"', "neither filename nor glob"),
    ],
)
def test_a_table_that_cannot_be_followed_is_refused(entry: str, said: str) -> None:
    """A place that is left out would say the old version."""
    text = f'{STATIC}[tool.bumpversion]\ncurrent_version = "1.2.3"\n[[tool.bumpversion.files]]\n{entry}\n'
    with pytest.raises(ConfigError, match=said):
        written({"pyproject.toml": text, "README.md": "nothing\n"})


def test_a_missing_place_may_be_allowed() -> None:
    """The table's own option for that counts."""
    text = f'{STATIC}[tool.bumpversion]\ncurrent_version = "1.2.3"\n[[tool.bumpversion.files]]\n'
    text += 'filename = "README.md"\nignore_missing_version = true\n'
    assert list(written({"pyproject.toml": text, "README.md": "nothing\n"})) == ["pyproject.toml"]


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": STATIC + '[tool.bumpversion]\ncurrent_version = "1.2.2"\n'},
        {"pyproject.toml": STATIC + '[tool.poetry]\nversion = "1.2.2"\n'},
        {"pyproject.toml": '[project]\nname = "demo"\ndynamic = ["version"]\n'},
        {"pyproject.toml": '[project]\nname = "demo"\nversion = "one"\n'},
    ],
)
def test_two_versions_or_none_are_refused(files: Mapping[str, str]) -> None:
    """Nobody knows which one counts."""
    with pytest.raises(UnmoorError) as raised:
        written(files)
    assert isinstance(raised.value, Refused)
    assert raised.value.next_step
