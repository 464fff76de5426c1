"""The git remote of a local world: a bare clone that no setting of the user changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.rehearsal.shared.remote import begin, finish

SETTINGS = """
[safe]
	bareRepository = explicit
[protocol "file"]
	allow = never
[clone]
	defaultRemoteName = upstream
[transfer]
	hideRefs = refs/tags
[uploadpack]
	hideRefs = refs/tags
[url "https://mirror.example/"]
	insteadOf = /
"""


@pytest.mark.parametrize("settings", ["", SETTINGS])
def test_refs(settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ref is found by its whole name, and refs by the beginning of their names."""
    (tmp_path / "settings").write_text(settings)
    repo = Repo.new(tmp_path / "repo")
    for tag in ("v1", "v1.0", "v1/x", "v10", "w"):
        if tag != "v1":  # git keeps no tag below another
            repo.git("tag", tag)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))
    remote = finish(tmp_path, begin(tmp_path, repo.path))
    head = remote.commit("main")
    assert head is not None
    names = {
        "refs/tags/v1": ["v1.0", "v1/x", "v10"],
        "refs/tags/v1/": ["v1/x"],
        "refs/tags/v1.0": ["v1.0"],
        "refs/tags/": ["v1.0", "v1/x", "v10", "w"],
        "refs/tags/x": [],
    }
    assert {prefix: [ref.name.removeprefix("refs/tags/") for ref in remote.refs(prefix)] for prefix in names} == names
    found = {
        name: remote.ref(name) is not None for name in ("refs/tags/v1.0", "refs/tags/v1", "refs/tags", "refs/tags/")
    }
    assert found == {"refs/tags/v1.0": True, "refs/tags/v1": False, "refs/tags": False, "refs/tags/": False}
    remote.make_tag("v2.0", head)
    assert [ref.sha for ref in remote.refs("refs/tags/v2")] == [head]
