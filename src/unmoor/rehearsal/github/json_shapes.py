"""The JSON of GitHub's answers: users, the repository, refs, releases, assets.

The shapes are those of GitHub's own OpenAPI description; a test compares them with it.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from unmoor.rehearsal.github.releases import Asset, Release
from unmoor.rehearsal.shared.oidc import OWNER_ID, REPOSITORY_ID
from unmoor.rehearsal.shared.remote import Ref

EPOCH = "2026-01-01T00:00:00Z"
_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_COUNTS = (
    "forks",
    "forks_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "watchers",
    "watchers_count",
    "network_count",
    "subscribers_count",
)
_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def _node(kind: str, number: int | str) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def _seconds(moment: str) -> str:
    """Drop the fraction of a second from a time, as GitHub writes it."""
    return f"{moment[:19]}Z"


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Answers for one repository; ``api``, ``uploads`` and ``site`` are addresses without a slash at the end."""

    api: str
    uploads: str
    site: str
    repository: str
    _encoded: dict[int, tuple[Release, bytes]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def root(self) -> str:
        """The repository's address in the API."""
        return f"{self.api}/repos/{self.repository}"

    def user(self, login: str) -> dict[str, Any]:
        """Return a user, as other answers contain it."""
        address = f"{self.api}/users/{login}"
        return {
            "login": login,
            "id": int(OWNER_ID),
            "node_id": _node("User", login),
            "avatar_url": f"{self.site}/avatars/{login}",
            "gravatar_id": "",
            "url": address,
            "html_url": f"{self.site}/{login}",
            "type": "User",
            "site_admin": False,
            **{name: address + path for name, path in _USER_LINKS.items()},
        }

    def viewer(self, login: str) -> dict[str, Any]:
        """Return the user of a token."""
        nothing = ("name", "company", "location", "email", "hireable", "bio")
        none = ("public_repos", "public_gists", "followers", "following")
        return {
            **self.user(login),
            **dict.fromkeys(nothing),
            **dict.fromkeys(none, 0),
            "blog": "",
            "user_view_type": "public",
            "created_at": EPOCH,
            "updated_at": EPOCH,
        }

    def repo(
        self, *, branch: str, owner: dict[str, Any], rights: dict[str, bool] | None, private: bool
    ) -> dict[str, Any]:
        """Return the repository; ``rights`` are ``None`` without a token."""
        name = self.repository.partition("/")[2]
        no = ("fork", "archived", "disabled", "has_pages", "has_discussions", "has_projects", "has_wiki")
        page = f"{self.site}/{self.repository}"
        answer: dict[str, Any] = {
            "id": int(REPOSITORY_ID),
            "node_id": _node("Repository", 1),
            "name": name,
            "full_name": self.repository,
            "owner": owner,
            "private": private,
            **dict.fromkeys(no, False),
            **dict.fromkeys(_COUNTS, 0),
            **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
            "html_url": page,
            "url": self.root,
            **{key: self.root + path for key, path in _REPOSITORY_LINKS.items()},
            "clone_url": f"{page}.git",
            "git_url": f"{page}.git",
            "ssh_url": f"{page}.git",
            "svn_url": page,
            "has_issues": True,
            "visibility": "private" if private else "public",
            "default_branch": branch,
            "created_at": EPOCH,
            "updated_at": EPOCH,
            "pushed_at": EPOCH,
        }
        return answer if rights is None else {**answer, "permissions": rights}

    def minimal_repo(self, *, owner: dict[str, Any], private: bool) -> dict[str, Any]:
        """Return the repository, as other answers contain it."""
        whole = self.repo(branch="", owner=owner, rights=None, private=private)
        kept = ("id", "node_id", "name", "full_name", "owner", "private", "html_url", "description", "fork", "url")
        return {name: whole[name] for name in (*kept, *_REPOSITORY_LINKS)}

    def run(self, number: int, *, branch: str, status: str, name: str, **details: Any) -> dict[str, Any]:
        """Return a run of a workflow, without its repository. ``details`` replace what is the same for every run."""
        here = f"{self.root}/actions/runs/{number}"
        links = ("jobs", "logs", "cancel", "rerun", "artifacts")
        return {
            "id": number,
            "name": name,
            "display_title": name,
            "node_id": _node("WorkflowRun", number),
            "head_branch": branch,
            "head_sha": "0" * 40,
            "path": f".github/workflows/{name}.yml",
            "run_number": number,
            "event": "push",
            "status": status,
            "conclusion": "success" if status == "completed" else None,
            "workflow_id": 1,
            "workflow_url": f"{self.root}/actions/workflows/1",
            "check_suite_url": f"{self.root}/check-suites/{number}",
            "url": here,
            "html_url": f"{self.site}/{self.repository}/actions/runs/{number}",
            "pull_requests": [],
            "head_commit": None,
            "created_at": EPOCH,
            "updated_at": EPOCH,
            **{f"{each}_url": f"{here}/{each}" for each in links},
            **details,
        }

    def ref(self, ref: Ref) -> dict[str, Any]:
        """A ref."""
        return {
            "ref": ref.name,
            "node_id": _node("Ref", ref.name),
            "url": f"{self.root}/git/{quote(ref.name)}",
            "object": self._object(ref.kind, ref.sha),
        }

    def tag(self, sha: str, found: dict[str, str]) -> dict[str, Any]:
        """An annotated tag."""
        who, _, when = found.get("tagger", "").partition("> ")
        name, _, email = who.partition(" <")
        return {
            "node_id": _node("Tag", sha),
            "tag": found["tag"],
            "sha": sha,
            "url": f"{self.root}/git/tags/{sha}",
            "message": found["message"],
            "tagger": {"name": name, "email": email, "date": _git_date(when)},
            "object": self._object(found["type"], found["object"]),
        }

    def attestation(self, bundle: dict[str, Any], *, initiator: str) -> dict[str, Any]:
        """Return an attestation. Its bundle has no address of its own."""
        return {
            "bundle": bundle,
            "repository_id": int(REPOSITORY_ID),
            "bundle_url": "",
            "initiator": initiator,
        }

    def _object(self, kind: str, sha: str) -> dict[str, str]:
        return {"type": kind, "sha": sha, "url": f"{self.root}/git/{kind}s/{sha}"}

    def release(self, release: Release) -> dict[str, Any]:
        """A release with its assets."""
        here = f"{self.root}/releases/{release.id}"
        page = release.slug if release.draft else release.tag
        return {
            "url": here,
            "assets_url": f"{here}/assets",
            "upload_url": f"{self.uploads}/repos/{self.repository}/releases/{release.id}/assets{{?name,label}}",
            "html_url": f"{self.site}/{self.repository}/releases/tag/{quote(page)}",
            "id": release.id,
            "author": self.user("rehearsal"),
            "node_id": _node("Release", release.id),
            "tag_name": release.tag,
            "target_commitish": release.target,
            "name": release.name,
            "draft": release.draft,
            "immutable": release.immutable,
            "prerelease": release.prerelease,
            "created_at": _seconds(release.created_at),
            "updated_at": _seconds(release.updated_at),
            "published_at": _seconds(release.published_at) if release.published_at else None,
            "assets": [self.asset(release, asset) for asset in release.assets],
            "tarball_url": None if release.draft else f"{self.root}/tarball/{quote(release.tag)}",
            "zipball_url": None if release.draft else f"{self.root}/zipball/{quote(release.tag)}",
            "body": release.body,
        }

    def encoded(self, release: Release) -> msgspec.Raw:
        """A release with its assets, as JSON. A release that has not changed is written once: lists have hundreds.

        What is written is kept compressed, since most of it is the same for each release.
        """
        known = self._encoded.get(release.id)
        if known is None or known[0] is not release:
            known = release, zlib.compress(msgspec.json.encode(self.release(release)), 1)
            self._encoded[release.id] = known
        return msgspec.Raw(zlib.decompress(known[1]))

    def asset(self, release: Release, asset: Asset) -> dict[str, Any]:
        """One asset."""
        folder = release.slug if release.draft else release.tag
        return {
            "url": f"{self.root}/releases/assets/{asset.id}",
            "id": asset.id,
            "node_id": _node("ReleaseAsset", asset.id),
            "name": asset.name,
            "label": asset.label,
            "uploader": self.user("rehearsal"),
            "content_type": asset.content_type,
            "state": asset.state,
            "size": asset.digests.size if asset.digests else 0,
            "digest": f"sha256:{asset.digests.sha256}" if asset.digests else None,
            "download_count": asset.downloads,
            "created_at": _seconds(asset.created_at),
            "updated_at": _seconds(asset.updated_at),
            "browser_download_url": f"{self.site}/{self.repository}/releases/download/{quote(folder)}/{asset.name}",
        }


def _git_date(when: str) -> str:
    """Convert a date from git's format, ``SECONDS ZONE``, to GitHub's."""
    from datetime import UTC, datetime

    seconds = when.partition(" ")[0]
    return datetime.fromtimestamp(int(seconds) if seconds.isdigit() else 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
