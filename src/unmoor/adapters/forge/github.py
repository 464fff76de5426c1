"""Releases, drafts and assets of one GitHub repository."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from unmoor import advice
from unmoor.adapters.forge import assets, attestation, parse, runs
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import NotFound, RateLimited, malformed
from unmoor.adapters.http.download import repeated
from unmoor.errors import ConfigError, Denied, Rejected, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.forge import ForgeAsset, ForgeRelease, ForgeRepository, ForgeRun, ForgeTag
from unmoor.ports.world import ForgePlace
from unmoor.products import File
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9._-]{1,100}")
# A release with hundreds of assets is long.
PER_PAGE = 50
_NESTED = 5
# GitHub lists at most 1,000 runs for a query.
_RUNS_PER_PAGE, _RUN_PAGES = 100, 10
_RIGHTS = advice.ALLOW_WRITING()


class GitHubForge:
    """One repository on GitHub, GitHub Enterprise or a local stand-in. Implements `unmoor.ports.forge.Forge`."""

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock, pace: Pace | None = None) -> None:
        if _REPOSITORY.fullmatch(place.repository) is None:
            raise ConfigError(f"{clean(place.repository)!r} is not 'owner/name'", next_step=advice.WRITE_REPOSITORY())
        self._place = place
        self._http = http
        self._clock = clock
        self._token = place.login.secret
        pace = pace or Pace(place.api, clock)
        self._api = GitHubClient(place, http, clock, token=self._token or None, pace=pace, rights=_RIGHTS)
        self._plain = GitHubClient(place, http, clock, token=None, pace=pace, rights=_RIGHTS)
        self._root = f"/repos/{quote(place.repository)}"
        self._may_push: bool | None = None

    @property
    def address(self) -> str:
        """The address of the repository's web page."""
        return f"{self._place.site.rstrip('/')}/{self._place.repository}"

    def has_token(self) -> bool:
        """Whether there is a token. Sends nothing."""
        return bool(self._token)

    def repository(self) -> ForgeRepository:
        """Read the repository. Raises `Denied` if it is not visible, and `Unknown`.

        For an installation token (``GITHUB_TOKEN`` in a workflow), GitHub always answers ``push: false``. Then this
        requests generated notes: GitHub answers only writers, and stores nothing.
        """
        seen = parse.repository(self._api.read(self._root), where=self._api.where(self._root))
        can_push = seen.can_push
        if can_push is not True and self._token.reveal().startswith("ghs_"):
            can_push = self._installation_may_push(otherwise=can_push)
        self._may_push = can_push
        return replace(seen, can_push=can_push)

    def _installation_may_push(self, *, otherwise: bool | None) -> bool | None:
        try:
            notes = self._api.ask(f"{self._root}/releases/generate-notes", {"tag_name": "v0"})
        except NotFound:
            # The server does not have this API: its first answer counts.
            return otherwise
        except Denied:
            return False
        except UnmoorError:
            return None
        return True if isinstance(notes, dict) and isinstance(notes.get("body"), str) else None

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """Every release object of the tag, drafts included, the oldest first.

        Lists every page, since there is no other way to find drafts. Raises `Unknown` if it finds none and the token
        may not push: GitHub lists drafts only to writers.
        """
        found: dict[int, ForgeRelease] = {}
        path = f"{self._root}/releases"
        for date, page in self._api.pages(path, "releases", size=PER_PAGE):
            for raw in page:
                if isinstance(raw, dict) and raw.get("tag_name") != tag and isinstance(raw.get("tag_name"), str):
                    continue
                forge_release = parse.forge_release(raw, where=self._api.where(path), date=date)
                found[forge_release.id] = forge_release
        if not found and not self._pushes():
            raise parse.hidden_drafts(tag, where=self.address, has_token=self.has_token())
        return tuple(found[number] for number in sorted(found))

    def login(self) -> str:
        """The name of the token's user; see the port."""
        return parse.login(self._api.read("/user"), where=self._api.where("/user"))

    def active_runs(self, tag: str) -> tuple[ForgeRun, ...]:
        """The workflow runs of a tag that have not ended; see the port.

        For a run of a tag, ``branch`` in the query and ``head_branch`` in the answer are the name of the tag.
        """
        path = f"{self._root}/actions/runs"
        where = self._api.where(path)
        query = f"branch={quote(tag, safe='')}&per_page={_RUNS_PER_PAGE}"
        found: dict[int, ForgeRun] = {}
        seen = total = 0
        for number in range(1, _RUN_PAGES + 1):
            raw = self._shown(f"{path}?{query}&page={number}")
            if raw is None:
                raise Unknown("the forge has no list of workflow runs", where=where)
            page = runs.read_page(raw, tag, where=where)
            found |= {each.id: each for each in page.active}
            seen, total = seen + page.count, page.total
            if seen >= total:
                return tuple(found.values())
            if not page.count:
                break
        raise Unknown(f"the list of workflow runs has {total} runs, but ends after {seen}", where=where)

    def _listed(self) -> list[Any]:
        return self._api.listed(f"{self._root}/releases", "releases", size=PER_PAGE)

    def _pushes(self) -> bool:
        if self._may_push is None and self.has_token():
            self.repository()
        return self._may_push is True

    @cached_property
    def _reader(self) -> tuple[GitHubClient, bool]:
        """The client for public data, without credentials if the repository is public, and whether it is public."""
        try:
            raw = self._plain.read(self._root, wait=not self.has_token())
            seen = parse.repository(raw, where=self._plain.where(self._root))
        except RateLimited:
            # CI runners share an address with a small rate limit; a token has its own limit.
            if not self.has_token():
                raise
            return self._api, not self.repository().private
        except Denied:
            if not self.has_token():
                raise
            # A private repository, or an Enterprise server that requires a login.
            self.repository()
            return self._api, False
        return self._plain, not seen.private

    def _shown(self, path: str) -> Any:
        """Read public data; ``None`` for 404, which is reliable since the repository itself is readable."""
        api, _ = self._reader
        try:
            return api.read(path, wait=api is self._api or not self.has_token())
        except RateLimited:
            if api is self._api or not self.has_token():
                raise
        except NotFound:
            return None
        try:
            return self._api.read(path)
        except NotFound:
            return None

    def release(self, number: int) -> ForgeRelease | None:
        """One release by its number; see the port."""
        path = f"{self._root}/releases/{number}"
        try:
            return parse.forge_release(self._api.read(path), where=self._api.where(path))
        except NotFound:
            # GitHub answers 404 for a draft that the token may not see, too.
            self._api.read(self._root)
            return None

    def public(self, tag: str) -> ForgeRelease | None:
        """The published release of the tag; see the port."""
        path = f"{self._root}/releases/tags/{quote(tag, safe='')}"
        raw = self._shown(path)
        if raw is None:
            return None
        forge_release = parse.forge_release(raw, where=self._api.where(path), public=self._reader[1])
        if forge_release.tag != tag:
            raise malformed(f"the release of {clean(tag)}", self._api.where(path))
        return None if forge_release.draft else forge_release

    def attested(self, tag: str) -> bool | None:
        """Whether an immutable release of the tag was published; see the port."""
        path = f"{self._root}/git/ref/tags/{quote(tag, safe='/')}"
        try:
            if (ref := self._shown(path)) is None:
                return None
            path = f"{self._root}/attestations/{attestation.subject(ref, where=self._api.where(path))}"
            raw = self._shown(f"{path}?predicate_type=release&per_page={PER_PAGE}")
            return None if raw is None else attestation.names(raw, tag, where=self._api.where(path))
        except (Denied, Rejected, Unknown):
            return None

    def attestations(self, sha256: str, predicate_type: str) -> tuple[bytes, ...]:
        """The attestations about a digest that workflows stored; see the port."""
        path = f"{self._root}/attestations/sha256:{sha256}"
        raw = self._shown(f"{path}?predicate_type={quote(predicate_type, safe='')}&per_page={PER_PAGE}")
        # GitHub answers 404 if there is none.
        return () if raw is None else attestation.bundles(raw, where=self._api.where(path))

    def attest(self, bundle: bytes) -> None:
        """Store an attestation, in one try; see the port."""
        self._api.post(f"{self._root}/attestations", {"bundle": decode_json(bundle, dict[str, Any])})

    def tagged(self, tag: str) -> ForgeTag | None:
        """What a tag names; see the port."""
        path = f"{self._root}/git/ref/tags/{quote(tag, safe='/')}"
        if (raw := self._shown(path)) is None:
            return None
        made = named = attestation.named_object(raw, where=self._api.where(path))
        # A tag may name a tag. git itself has no limit.
        for _ in range(_NESTED):
            if named.type != "tag":
                break
            path = f"{self._root}/git/tags/{quote(named.sha)}"
            if (raw := self._shown(path)) is None:
                raise malformed("the object of a tag", self._api.where(path))
            named = attestation.named_object(raw, where=self._api.where(path))
        if named.type != "commit":
            raise malformed(f"a tag of a commit (it is of a {clean(named.type, 20)})", self._api.where(path))
        return ForgeTag(object=made.sha, commit=named.sha)

    def release_attestations(self, tag: ForgeTag) -> tuple[bytes, ...]:
        """The forge's own attestations about a tag; see the port."""
        path = f"{self._root}/attestations/{attestation.digest_of(tag.object)}"
        raw = self._shown(f"{path}?predicate_type=release&per_page={PER_PAGE}")
        return () if raw is None else attestation.own_bundles(raw, where=self._api.where(path))

    def released(self) -> tuple[str, ...]:
        """The tags of all public releases, prereleases among them; see the port."""
        where = self._api.where(f"{self._root}/releases")
        found = (parse.forge_release(raw, where=where) for raw in self._listed())
        return tuple(forge_release.tag for forge_release in found if not forge_release.draft)

    def latest(self) -> str | None:
        """The tag of the release that the forge marks as latest, ``None`` if there is none."""
        path = f"{self._root}/releases/latest"
        raw = self._shown(path)
        return None if raw is None else parse.forge_release(raw, where=self._api.where(path)).tag

    def draft(self, *, tag: str, target: str, name: str, body: str, prerelease: bool) -> ForgeRelease:
        """Create a draft. Sets every flag, since PyGithub's defaults publish the release as latest."""
        path = f"{self._root}/releases"
        made = self._api.write(
            path,
            lambda: (
                self._api.repository(self._root)
                .create_git_release(
                    tag,
                    name=name,
                    message=body,
                    draft=True,
                    prerelease=prerelease,
                    generate_release_notes=False,
                    target_commitish=target,
                    make_latest="false",
                )
                .raw_data
            ),
        )
        return parse.forge_release(made, where=self._api.where(path))

    def amend(self, forge_release: ForgeRelease, *, name: str, body: str, prerelease: bool) -> ForgeRelease:
        """Change the name, body and target of a draft. It stays a draft."""
        path = f"{self._root}/releases/{forge_release.id}"
        amended = self._api.write(
            path,
            lambda: (
                self._api.release(path)
                .update_release(
                    name,
                    body,
                    draft=True,
                    prerelease=prerelease,
                    tag_name=forge_release.tag,
                    target_commitish=forge_release.target,
                    make_latest="false",
                )
                .raw_data
            ),
        )
        return parse.forge_release(amended, where=self._api.where(path))

    def annotate(self, forge_release: ForgeRelease, body: str) -> ForgeRelease:
        """Change only the notes, in one call with one field; see the port."""
        path = f"{self._root}/releases/{forge_release.id}"
        return parse.forge_release(self._api.patch(path, {"body": body}), where=self._api.where(path))

    def attach(self, forge_release: ForgeRelease, file: File) -> ForgeAsset:
        """Upload one asset in one try; see the port."""
        return self._api.send(lambda: assets.send(self._http, self._api, self._place, forge_release, file))

    def detach(self, asset: ForgeAsset) -> None:
        """Remove one asset by its id. A missing one is fine."""
        path = f"{self._root}/releases/assets/{asset.id}"
        self._gone(path, lambda: self._api.asset(path).delete_asset())

    def fetch(self, asset: ForgeAsset, into: Path) -> File:
        """Download an asset into a folder and hash it, again if that fails; see the port."""
        if asset.public:
            return repeated(lambda: assets.fetch_public(self._http, self._place, asset, into), self._clock)
        address = self._api.address(f"{self._root}/releases/assets/{asset.id}")
        return repeated(lambda: assets.fetch(self._http, address, asset, into, token=self._token), self._clock)

    def publish(self, forge_release: ForgeRelease, *, prerelease: bool, latest: bool) -> ForgeRelease:
        """Publish a draft, in one call with exactly three fields: name and body stay unchanged."""
        path = f"{self._root}/releases/{forge_release.id}"
        fields = {"draft": False, "prerelease": prerelease, "make_latest": "true" if latest else "false"}
        return parse.forge_release(self._api.patch(path, fields), where=self._api.where(path))

    def remove(self, forge_release: ForgeRelease) -> None:
        """Delete a draft, after reading it again. Raises `Rejected` for a published release."""
        path = f"{self._root}/releases/{forge_release.id}"
        try:
            now = parse.forge_release(self._api.read(path), where=self._api.where(path))
        except NotFound:
            return
        if not now.draft:
            raise Rejected(
                f"{clean(now.tag)} is public: unmoor never deletes a published release",
                where=now.url,
                next_step=advice.DELETE_RELEASE_BY_HAND(),
            )
        self._gone(path, lambda: self._api.release(path).delete_release())

    def _gone(self, path: str, call: Callable[[], object]) -> None:
        if not self._api.delete(path, call):
            # 404 may also mean "forbidden". Then the repository itself is not visible either.
            self._api.read(self._root)
