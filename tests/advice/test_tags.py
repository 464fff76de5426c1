"""Every advice about tags, remotes and checkouts leads to a release that can be resolved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.core.stage import StageContext
from unmoor.products import Release
from unmoor.project.locate import ConfigSources, locate, naming_at, settings_at
from unmoor.project.releasable import refuse_fork, refuse_shallow, tag_on_head
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.publish.tag_signature import trusted_signer
from unmoor.stages.tag import ResolveTag

SCM = {"pyproject.toml": "[project]\nname = 'demo'\ndynamic = ['version']\n[tool.setuptools_scm]\n"}
STATIC = {"pyproject.toml": "[project]\nname = 'demo'\nversion = '1.0'\n"}
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGtlZXBzIG5vYm9keSBvdXQgYXQgYWxsISE="
"""A key as ssh-keygen writes it. Nobody has its other half."""
AROUND = ConfigSources(environ={})


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def resolve(place: Place) -> Release:
    """Run the stage ``tag``."""
    kept = place.kept
    git = place.git
    stage = ResolveTag(
        **{  # only what a walk is about
            "name": "tag",
            "tag": kept.get("tag"),
            "named": "tag" in kept,
            "repository": "owner/name",
            "real": True,
            "git": git,
            **({"commit": kept["commit"]} if "commit" in kept else {}),
        }
    )
    release = stage.make(StageContext({}))
    kept["release"] = release
    return release


def tagged(place: Place, *names: str, push: bool = True) -> None:
    """Create tags on HEAD, and push them."""
    for name in names:
        place.repo.git("tag", "-a", "-m", "x", name)
        if push:
            place.repo.git("push", "--quiet", "origin", f"refs/tags/{name}")


def begin(
    files: dict[str, str] = SCM, *tags: str, push: bool = True, remote: bool = True, **kept: object
) -> Callable[[Place], None]:
    """A repository with a remote, and tags on its commit."""

    def start(place: Place) -> None:
        place.new_repo(files, remote=remote)
        if remote:
            tagged(place, *tags, push=push)
        place.kept.update(kept)

    return start


def pasted(place: Place, text: str) -> None:
    """Run what the advice says to paste."""
    place.run(text, ADDRESS=str(place.folder / "remote.git"), TAG="v1.0", DIR=str(place.folder))


def _move_on_remote(place: Place) -> None:
    place.repo.commit({"later": "x"})
    place.repo.git("push", "--quiet", "--force", "origin", "HEAD:refs/tags/v1.0")


def _twin(place: Place) -> None:
    place.repo.commit({"x": "y"})
    tagged(place, "v1.0")
    place.kept["tag"] = "v1.0"


def _tag_as_shown(place: Place, text: str) -> None:
    """Create the first tag that the advice shows, and name it."""
    name = re.findall(r"v[\d.]+\d", text)[0]
    tagged(place, name)
    place.kept["tag"] = name


def _write_version(place: Place, text: str) -> None:
    version = re.sub(r"^write (\S+) there.*", r"\1", text)
    place.repo.commit({"pyproject.toml": STATIC["pyproject.toml"].replace("1.0", version)})
    place.repo.git("tag", "--force", "-a", "-m", "x", "v1.1")
    place.repo.git("push", "--quiet", "--force", "origin", "refs/tags/v1.1")


def _delete_one(place: Place, text: str) -> None:
    """Delete the first tag that the advice names, here and on the remote."""
    found = re.search(r"git tag -d (\S+),", text)
    assert found, text
    place.repo.git("tag", "-d", found[1])
    place.repo.git("push", "--quiet", "origin", f":refs/tags/{found[1]}")
    place.kept["tag"] = "v1.0" if found[1] != "v1.0" else "1.0"


def _shallow(place: Place) -> None:
    place.new_repo(SCM, remote=True)
    place.repo.commit({"more": "x"})
    place.repo.git("push", "--quiet", "origin", "main")
    clone = place.folder / "clone"
    place.repo.git("clone", "--quiet", "--depth=1", f"file://{place.folder / 'remote.git'}", str(clone))
    place.kept["repo"] = Repo(clone)


def _fork_rehearsed(place: Place) -> None:
    refuse_fork(place.git, place.kept.get("here", "somebody/fork"), "owner/name")


SEVERAL = {
    "packages/a/pyproject.toml": "[project]\nname = 'a'\nversion = '1.0'\n",
    "packages/b/pyproject.toml": "[project]\nname = 'b'\nversion = '1.0'\n[tool.unmoor]\npath = 'x'\n",
}


def _locate(place: Place) -> object:
    git = place.git
    found = locate(
        git, place.repo.path, AROUND, named=place.kept.get("path"), tag=place.kept.get("tag"), commit=git.head()
    )
    return settings_at(git.at(found.path), git.head(), AROUND)


def _checkout(place: Place) -> object:
    return GitCheckout(place.kept["start"], place.shell).folder


def _new_repo_below(place: Place, text: str) -> None:
    """Change to a checkout, or make the folder one."""
    del text
    Repo.new(place.folder / "checkout", SCM)
    place.kept["start"] = place.folder / "checkout"


def _bare(place: Place) -> None:
    place.new_repo(SCM, remote=True)
    place.kept["start"] = place.folder / "remote.git"


def _worktree(place: Place) -> None:
    place.new_repo(SCM)
    place.repo.git("config", "core.worktree", str(place.folder))
    place.kept["start"] = place.repo.path


WALKS: dict[str, Walk] = {
    "name-or-create-tag": Walk(
        begin=begin(),
        act=lambda place: tag_on_head(place.git, lambda head: naming_at(place.git, head, AROUND)),
        follow=pasted,
    ),
    "tag-without-epoch": Walk(begin=begin(SCM, "v1!2.0", tag="v1!2.0"), act=resolve, follow=_tag_as_shown),
    "tag-with-version": Walk(begin=begin(SCM, "v1.dev1", tag="v1.dev1"), act=resolve, follow=_tag_as_shown),
    "name-one-of-the-tags": Walk(begin=begin(SCM, "v1.0", "v1.1"), act=resolve, follow=keep(tag="v1.1")),
    "delete-one-tag": Walk(begin=also(begin(SCM, "1.0"), _twin), act=resolve, follow=_delete_one),
    "create-tag": Walk(begin=begin(tag="v1.0"), act=resolve, follow=lambda place, text: place.run(text)),
    "fetch-tag": Walk(
        begin=also(begin(SCM, "v1.0", tag="v1.0"), lambda place: place.repo.git("tag", "-d", "v1.0")),
        act=resolve,
        follow=pasted,
    ),
    "push-tag": Walk(begin=begin(SCM, "v1.0", push=False, tag="v1.0"), act=resolve, follow=pasted),
    "add-remote-and-push": Walk(
        begin=also(
            begin(SCM, "v1.0", tag="v1.0"),
            lambda place: place.repo.git("remote", "remove", "origin"),
        ),
        act=resolve,
        follow=pasted,
    ),
    "commit-or-name-tag": Walk(
        begin=also(begin(SCM, "v1.0"), lambda place: place.repo.write({"pyproject.toml": "x"})),
        act=resolve,
        follow=keep(tag="v1.0"),
    ),
    "take-remote-tag": Walk(begin=also(begin(SCM, "v1.0", tag="v1.0"), _move_on_remote), act=resolve, follow=pasted),
    "start-run-for-tag": Walk(
        begin=begin(SCM, "v1.0", tag="v1.0", commit="0" * 40),
        act=resolve,
        follow=lambda place, _: place.kept.update(commit=place.repo.git("rev-parse", "v1.0^{commit}")),
    ),
    "write-version": Walk(begin=begin(STATIC, "v1.1", tag="v1.1"), act=resolve, follow=_write_version),
    "release-own-tag": Walk(
        begin=begin(SCM, "other-1.0", "v1.0", tag="other-1.0"), act=resolve, follow=keep(tag="v1.0")
    ),
    "release-from-home": Walk(begin=begin(), act=_fork_rehearsed, follow=keep(here="owner/name")),
    "fetch-history": Walk(begin=_shallow, act=lambda place: refuse_shallow(place.git), follow=pasted),
    "push-tag-again": Walk(
        begin=also(
            begin(SCM, "v1.0", tag="v1.0"),
            resolve,
            lambda place: place.repo.git("push", "-q", "origin", ":refs/tags/v1.0"),
        ),
        act=lambda place: verify_tag_unmoved(place.git, place.kept["release"]),
        follow=pasted,
    ),
    "move-tag-back": Walk(
        begin=also(begin(SCM, "v1.0", tag="v1.0"), resolve, _move_on_remote),
        act=lambda place: verify_tag_unmoved(place.git, place.kept["release"]),
        follow=lambda place, _: place.repo.git("push", "-q", "--force", "origin", "refs/tags/v1.0"),
    ),
    "add-remote": Walk(
        begin=also(begin(), lambda place: place.repo.git("remote", "remove", "origin")),
        act=lambda place: place.git.remote_tags(),
        follow=pasted,
    ),
    "name-a-remote": Walk(
        begin=begin(remote_name="--upload-pack=x"),
        act=lambda place: GitCheckout(place.repo.path, place.shell, remote=place.kept["remote_name"]).remote_tags(),
        follow=keep(remote_name="origin"),
    ),
    "name-a-tag": Walk(
        begin=begin(SCM, "v1.2.3", ref="a..b"),
        act=lambda place: place.git.commit_of(place.kept["ref"]),
        follow=lambda place, text: place.kept.update(ref=text.removeprefix("name a tag such as ")),
    ),
    "name-full-commit": Walk(
        begin=begin(ref="abc"),
        act=lambda place: place.git.files(place.kept["ref"]),
        follow=lambda place, _: place.kept.update(ref=place.git.head()),
    ),
    "go-to-checkout": Walk(
        begin=lambda place: place.kept.update(start=place.folder), act=_checkout, follow=_new_repo_below
    ),
    "go-to-checkout from a bare one": Walk(begin=_bare, act=_checkout, follow=_new_repo_below),
    "name-a-checkout": Walk(
        begin=lambda place: place.kept.update(start=place.folder / "none"), act=_checkout, follow=_new_repo_below
    ),
    "unset-worktree": Walk(begin=_worktree, act=_checkout, follow=pasted),
    "name-project-folder": Walk(begin=begin(SEVERAL), act=_locate, follow=keep(path="packages/a")),
    "set-tag-prefix": Walk(
        begin=begin(SEVERAL, tag="c-1.0"),
        act=_locate,
        follow=lambda place, _: place.repo.commit(
            {"packages/a/pyproject.toml": f"{SEVERAL['packages/a/pyproject.toml']}[tool.unmoor]\ntag-prefix = 'c-'\n"}
        ),
    ),
    "name-tag-of-project": Walk(begin=begin(SEVERAL, "a-1.0", tag="v9"), act=_locate, follow=keep(tag="a-1.0")),
    "name-a-folder": Walk(
        begin=begin({"packages/pkg/pyproject.toml": STATIC["pyproject.toml"]}, path="../x"),
        act=_locate,
        follow=lambda place, text: place.kept.update(path=text.removeprefix("name a folder such as ")),
    ),
    "remove-path": Walk(
        begin=begin(SEVERAL, path="packages/b"),
        act=_locate,
        follow=lambda place, _: place.repo.commit(
            {"packages/b/pyproject.toml": SEVERAL["packages/b/pyproject.toml"].partition("[tool")[0]}
        ),
    ),
    "move-settings": Walk(
        begin=begin(SEVERAL | {"unmoor.toml": "path = 'packages/a'\ndeadline = 99\n"}),
        act=_locate,
        follow=lambda place, text: place.repo.commit(
            {
                "unmoor.toml": "path = 'packages/a'\n",
                f"{text.partition('settings in ')[2]}/unmoor.toml": "deadline = 99\n",
            }
        ),
    ),
    "commit-signers": Walk(
        begin=begin(SCM, "v1.0"),
        act=lambda place: trusted_signer(place.git, "v1.0", ".github/allowed_signers"),
        follow=lambda place, text: (
            place.repo.commit(
                {text.split()[1]: "me ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtlZXBzIG5vYm9keSBvdXQgYXQgYWxsISE=\n"}
            ),
            place.repo.git("push", "-q", "origin", "main"),
            place.repo.git("fetch", "-q", "origin"),
        ),
        then="sign-a-tag",
    ),
    "fetch-tags": Walk(
        begin=also(begin(SCM, "v1.0"), lambda place: place.repo.git("tag", "-d", "v1.0")),
        act=lambda place: place.git.log(since=None, until="v1.0"),
        follow=pasted,
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """The command that the advice names works, and after it the tag is found, or the error is another one."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
