"""A repository with two packages.

The version of ``alpha`` is in a file, and its tests are found. The version of ``beta`` comes from tags, and its tests
are configured.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.git_repos import Repo

ALPHA = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "alpha"
description = "The one."
dynamic = ["version"]
requires-python = ">=3.11"
optional-dependencies = { test = ["pytest"] }

[tool.hatch.version]
path = "src/alpha/__init__.py"
"""
BETA = """\
[build-system]
requires = ["setuptools>=77", "setuptools-scm>=10"]
build-backend = "setuptools.build_meta"

[project]
name = "beta"
description = "The other."
dynamic = ["version"]
requires-python = ">=3.11"

[tool.setuptools_scm]
root = "../.."
tag_regex = "^beta-v(?P<version>.+)$"

[tool.unmoor]
test-command = "python {project}/tests/check.py"
"""
FILES = {
    "packages/alpha/pyproject.toml": ALPHA,
    "packages/alpha/src/alpha/__init__.py": '__version__ = "1.0"\n',
    "packages/alpha/tests/test_alpha.py": 'import alpha\n\n\ndef test_it():\n    assert alpha.__version__ == "1.0"\n',
    "packages/alpha/CHANGELOG.md": "# Changes\n\n## 1.0\n\n- Alpha floats.\n",
    "packages/beta/pyproject.toml": BETA,
    "packages/beta/src/beta/__init__.py": "",
    "packages/beta/tests/check.py": "import beta\n",
    "packages/beta/CHANGELOG.md": "# Changes\n\n## 2.0\n\n- Beta floats.\n",
}


def repo_of_two_packages(path: Path, more: dict[str, str] | None = None) -> Repo:
    """Create the repository. Both packages are in one commit, with a tag for each."""
    repo = Repo.new(path, FILES | (more or {}))
    repo.git("tag", "alpha-v1.0")
    repo.git("tag", "beta-v2.0")
    return repo
