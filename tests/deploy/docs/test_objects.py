"""Trees have the ids that git gives them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.deploy.docs.objects import object_id, site_tree, tree_object
from unmoor.ports.pages import FILE, TREE, BranchEntry

FILES = {
    "index.html": "a",
    "a.b": "dot",
    "a/x": "sorts after a.b",
    "a0": "and before a0",
    "ä/é": "not ASCII",
    "d/e/f": "",
}


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_tree_has_the_id_that_git_gives_it(tmp_path: Path, kind: str) -> None:
    """Names sort as in git, where a folder has a slash at its end, in both formats of objects."""
    repo = Repo(tmp_path)
    repo.git("init", "--quiet", "--template=", f"--object-format={kind}")
    commit = repo.commit(FILES)
    blobs = [(path, object_id("blob", text.encode(), like=commit)) for path, text in FILES.items()]
    tree = repo.git("rev-parse", "HEAD^{tree}")
    entries = {}
    for line in repo.git("-c", "core.quotePath=false", "ls-tree", "HEAD").splitlines():
        head, _, name = line.partition("\t")
        mode, _, found = head.split()
        entries[name] = BranchEntry(mode=mode, id=found)

    assert site_tree(blobs, like=commit) == tree
    assert object_id("tree", tree_object(entries), like=commit) == tree
    assert {entry.mode for entry in entries.values()} == {FILE, TREE}
