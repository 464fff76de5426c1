"""A small project with documentation, a Space and somebody to tell, whose release takes little time."""

from __future__ import annotations

from pathlib import Path

from tests.support.git_repos import Repo
from tests.support.local_release import small_repo

ANNOUNCE = ("chat=json",)
"""The targets of its world."""

# The other stages have journeys and laws of their own.
TEST_COMMAND = 'test-command = "python {project}/tests/check.py"\n'
FAST = """
tests = "off"
testpypi = "off"
reproducible = "off"
sbom = "off"
attestations = "off"

[tool.unmoor.scan]
secrets = "off"
vulnerabilities = "off"
"""
_SETTINGS = """
[tool.unmoor.docs]
builder = "python docs/build.py {out}"
to = "branch:gh-pages"

[tool.unmoor.announce]
targets = { chat = "CHAT_URL" }
on = ["released", "failed"]

[dependency-groups]
docs = []
"""
_SPACE = """
[tool.unmoor.space]
repo = "acme/demo"
files = ["app.py"]
critical = ["app.py"]
"""
_BUILD = """\
import pathlib, sys
import small_one
out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
(out / "index.html").write_text("<h1>small one</h1>", encoding="utf-8")
"""


DEPLOYED = FAST + _SETTINGS + _SPACE
"""Settings for all of these deployments, whose release takes little time."""
DEPLOYED_FILES = {"docs/build.py": _BUILD, "app.py": "print('afloat')\n"}
"""The files that they need."""


def documented_repo(path: Path, *, space: bool = False) -> Repo:
    """The small project with documentation, a Space where it is wanted, and somebody to tell, at the tag v1.0."""
    repo = small_repo(path)
    pyproject = (path / "pyproject.toml").read_text("utf-8").replace(TEST_COMMAND, "")
    more = FAST + _SETTINGS + (_SPACE if space else "")
    repo.commit({"pyproject.toml": pyproject + more, **DEPLOYED_FILES})
    repo.git("tag", "--force", "v1.0")
    return repo
