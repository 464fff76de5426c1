"""Documentation from the release to the branch of pages and Read the Docs: found, taken back, and put there again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS, LocalRelease, digests_in, start_release

pytestmark = pytest.mark.journey

DOCS = """
[dependency-groups]
docs = []
[tool.unmoor.docs]
builder = "python docs/build.py {out}"
to = ["branch:gh-pages", "readthedocs:small"]
"""
BUILD = """import sys
from pathlib import Path

sys.path.insert(0, "src")
import small_one

out = Path(sys.argv[1])
out.mkdir()
(out / "index.html").write_text(f"<p>{small_one.__name__}</p>", "utf-8")
assert "clone" not in small_one.__file__, small_one.__file__
"""
FILES = {"tests__check.py": "import small_one\n\nassert small_one.main() == 0\n", "CHANGELOG.md": CHANGELOG}


def pages(place: LocalRelease) -> dict[str, str]:
    """What is at the top of the branch, by name; empty without the branch."""
    remote = Repo(place.world / "remote.git")
    if not remote.git("branch", "--list", "gh-pages"):
        return {}
    lines = remote.git("ls-tree", "gh-pages").splitlines()
    return {name: head.split()[2] for head, _, name in (line.partition("\t") for line in lines)}


def test_documentation_is_deployed_taken_back_and_deployed_again(tmp_path: Path) -> None:
    """The release puts it online; undo takes back what it can; another machine deploys it without building."""
    files = sample_projects.files("small-one", "1.0", more=SETTINGS + DOCS, **FILES)
    repo = Repo.new(tmp_path / "small", files | {"docs/build.py": BUILD})
    repo.git("tag", "v1.0")
    with start_release(tmp_path, repo, deployments=["readthedocs"]) as place:
        released = place.release()
        assert released.returncode == 0, released.stderr
        first = pages(place)
        assert set(first) == {".nojekyll", "1.0", "index.html", "stable", "versions.json"}
        assert first["1.0"] == first["stable"]
        assert "docs" in place.status().stdout

        undone = place.unmoor("undo", "--only", "docs", "--apply", "--world", str(place.world_file), "v1.0")
        assert "keeps what it built" in undone.stdout + undone.stderr
        assert not {"1.0", "stable", "index.html"} & set(pages(place))

        elsewhere = LocalRelease(repo=repo, world=place.world, state=tmp_path / "state")
        digest = digests_in(released.stderr)["manifest.json"]
        world = ("--world", str(place.world_file))
        (repo.path / ".unmoor").rename(tmp_path / "lost")
        again = elsewhere.unmoor("deploy", "docs", *world, "--manifest-sha256", digest, "v1.0")
        assert again.returncode == 0, again.stderr
        assert "building" not in again.stderr
        assert pages(place) == first

        repo.commit({"docs/build.py": BUILD.replace("<p>", "<p>new ")})
        repo.git("push", "--quiet", str(place.world / "remote.git"), "main")
        developed = place.unmoor("deploy", "docs", "--as", "dev", *world)
        assert developed.returncode == 0, developed.stderr
        after = pages(place)
        assert {name: after[name] for name in ("1.0", "stable")} == {name: first[name] for name in ("1.0", "stable")}
        assert after["dev"] != first["1.0"]
        assert Repo(place.world / "remote.git").git("rev-list", "--count", "gh-pages") == "4"

        repo.commit({"docs/build.py": BUILD.replace("<p>", "<p>newer ")})  # not pushed
        overtaken = place.unmoor("deploy", "docs", "--as", "dev", *world)
        assert overtaken.returncode == 4, overtaken.stderr
