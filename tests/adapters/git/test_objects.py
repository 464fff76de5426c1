"""A commit is listed once, and every file is found in the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.objects import BlobTooLargeError, TreeItem, blob, item, listing, paths
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import Unknown

ONE, TWO = "1" * 40, "2" * 40
LISTED = "".join(
    f"{each}\0"
    for each in (
        f"100644 blob {TWO}\ta\tREADME",
        f"100644 blob {ONE}\tREADME",
        f"120000 blob {TWO}\tsub/link",
        f"160000 commit {ONE}\tmod",
    )
)


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README", TreeItem("100644", "blob", ONE)),
        ("a\tREADME", TreeItem("100644", "blob", TWO)),
        ("sub/link", TreeItem("120000", "blob", TWO)),
        ("mod", TreeItem("160000", "commit", ONE)),
        ("sub", None),
        ("link", None),
        ("EADME", None),
        ("", None),
    ],
)
def test_a_path_in_a_listing(path: str, expected: TreeItem | None) -> None:
    """A path is found by its whole name, also if another one ends like it after a tab."""
    assert item(LISTED, path) == expected
    assert (path in paths(LISTED)) == (expected is not None)


def test_a_blob_has_its_bytes_and_a_limit(tmp_path: Path, shell: LocalShell) -> None:
    """An empty blob, one that ends without a line break, one that is too large, and one that is not there."""
    repo = Repo.new(tmp_path / "project")
    commit = repo.commit({"empty": "", "short": "a\n\nb", "long": "x" * 5000})
    git = GitCheckout(repo.path, shell).git
    listed = listing(git, repo.path, commit)
    names = {path: found.name for path in paths(listed) if (found := item(listed, path)) is not None}
    assert blob(git, repo.path, names["empty"], limit=10) == b""
    assert blob(git, repo.path, names["short"], limit=10) == b"a\n\nb"
    with pytest.raises(BlobTooLargeError, match="5000"):
        blob(git, repo.path, names["long"], limit=10)
    with pytest.raises(Unknown, match=f"{ONE} missing"):
        blob(git, repo.path, ONE, limit=10)
