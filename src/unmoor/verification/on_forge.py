"""What the forge says and serves of a release: the repository, the tag, the assets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import IMAGES
from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease, ForgeTag
from unmoor.products import PushedImage
from unmoor.products.sboms import SUFFIX
from unmoor.provenance.names import bundle_name, is_bundle
from unmoor.publish import push_record
from unmoor.publish.release_assets import SUMS, is_foreign_dist
from unmoor.util.text import clean, list_some
from unmoor.verification.checks import CheckedItem, Mark
from unmoor.verification.downloads import DOCUMENT_LIMIT, Downloads
from unmoor.verification.signers import ReleaseSource

_DISTS = (".whl", ".tar.gz", ".zip")
_EARLIER = 3
_MOST_IMAGES = 200


@dataclass(kw_only=True)
class ForgeFiles:
    """One tag on the forge. Call `read`, then run the jobs of `downloads`. ``surface`` is its name in tables."""

    forge: Forge
    repository: str
    tag: str
    held: Downloads
    surface: str
    source: ReleaseSource = field(init=False)
    tagged: ForgeTag | None = field(default=None, init=False)
    release: ForgeRelease | None = field(default=None, init=False)
    checks: list[CheckedItem] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.source = ReleaseSource(repository=self.repository, tag=self.tag)

    def read(self) -> None:
        """Read the repository, the tag and the public release, and add a check for what is not as it should be."""
        number = commit = ""
        try:
            repository = self.forge.repository()
            number = repository.id
            if not number:
                self._add(self.repository, Mark.UNKNOWN, "the forge does not give the number of the repository")
            self.tagged = self.forge.tagged(self.tag) if self.tag else None
            commit = self.tagged.commit if self.tagged else ""
            if self.tag and not commit:
                self._add(self.tag, Mark.MISSING, f"{self.repository} has no such tag")
            self.release = self.forge.public(self.tag) if self.tag else None
        except UnmoorError as error:
            self.checks.append(CheckedItem.of_error(self.surface, self.repository, error))
        self.source = ReleaseSource(repository=self.repository, repository_id=number, tag=self.tag, commit=commit)

    def _add(self, name: str, mark: Mark, note: str) -> None:
        self.checks.append(CheckedItem(surface=self.surface, name=clean(name), mark=mark, note=note))

    @property
    def assets(self) -> tuple[ForgeAsset, ...]:
        """The assets that are there: one whose upload broke off is not."""
        return tuple(each for each in self.release.assets if each.uploaded) if self.release else ()

    @property
    def names(self) -> frozenset[str]:
        """The names of the assets."""
        return frozenset(each.name for each in self.assets)

    @property
    def is_ours(self) -> bool:
        """Whether this looks like a release by unmoor: it has a manifest, or signed lists."""
        return bool({manifests.NAME, bundle_name(manifests.NAME)} & self.names)

    def documents(self) -> list[Callable[[], None]]:
        """Return what downloads the lists and signatures. One that is too large is not downloaded."""
        return [self._job(each) for each in self.assets if self._is_document(each.name)]

    def files(self) -> list[Callable[[], None]]:
        """Return what downloads the distributions, the small ones first."""
        found = [each for each in self.assets if each.name.endswith(_DISTS)]
        return [self._job(each) for each in sorted(found, key=lambda each: (each.size, each.name))]

    def _is_document(self, name: str) -> bool:
        """Whether an asset is a list, a signature, or something small that has a signature."""
        if name.endswith(_DISTS):
            return False
        is_known = name in {manifests.NAME, SUMS, push_record.NAME} or is_bundle(name) or name.endswith(SUFFIX)
        return is_known or bundle_name(name) in self.names

    def _job(self, asset: ForgeAsset) -> Callable[[], None]:
        if self._is_document(asset.name) and asset.size > DOCUMENT_LIMIT:
            self.held.errors[asset.name] = Unknown(
                f"it has {asset.size:,} bytes, more than such a file may have",
                next_step=advice.CHECK_RELEASE_BY_HAND(),
                retryable=False,
            )
            return lambda: None
        return partial(self.held.get, asset.name, partial(self.forge.fetch, asset))

    @cached_property
    def guess(self) -> tuple[str, str]:
        """The project and the version in the names of the distributions; empty if they do not say, or say several."""
        found = {pair for each in self.assets if (pair := _named(each.name))}
        return found.pop() if len(found) == 1 else ("", "")

    def foreign(self, manifest: Manifest | None) -> tuple[str, ...]:
        """The distributions among the assets that the manifest does not name; none without a manifest."""
        named = {each.name for each in manifest.artifacts} if manifest else set()
        return tuple(each.name for each in self.assets if is_foreign_dist(each, named)) if manifest else ()

    def unchecked(self) -> str:
        """A note about the assets that nothing here looks at; empty if there are none."""
        others = sorted(
            each.name for each in self.assets if not self._is_document(each.name) and not each.name.endswith(_DISTS)
        )
        return f"not checked: {list_some([clean(name, 120) for name in others], 5)}" if others else ""

    def images(self) -> tuple[tuple[PushedImage, ...], CheckedItem | None]:
        """The images that the record of pushes names, and a check if that cannot be read."""
        name = push_record.NAME
        try:
            data = self.held.content(name)
        except UnmoorError as error:
            return (), CheckedItem.of_error(self.surface, name, error)
        if data is None:
            return (), self._without_images()
        record = push_record.decode(data)
        if record is None:
            note = "this is not a record of pushed images"
            return (), CheckedItem(surface=self.surface, name=name, mark=Mark.UNKNOWN, note=note)
        if self.source.commit and (record.tag, record.commit) != (self.tag, self.source.commit):
            note = f"it is of {clean(record.tag, 80)} at {clean(record.commit, 64)}"
            return (), CheckedItem(surface=self.surface, name=name, mark=Mark.WRONG, note=note)
        if len(record.images) > _MOST_IMAGES:
            note = f"it names {len(record.images)} images, more than are checked"
            return (), CheckedItem(surface=self.surface, name=name, mark=Mark.UNKNOWN, note=note)
        return tuple(dict.fromkeys(record.images)), None

    def _without_images(self) -> CheckedItem | None:
        """The check for a release without a record of pushes, which is as it should be if it has no images."""
        name = push_record.NAME
        if unread := self.held.errors.get(name):
            return CheckedItem.of_error(self.surface, name, unread)
        if IMAGES not in self.names:
            return None
        note = f"{IMAGES} says that there are images, and nothing which digests they have"
        return CheckedItem(surface=self.surface, name=name, mark=Mark.MISSING, note=note)

    def earlier_signed(self) -> str:
        """The newest of the last few earlier releases that has signatures; empty if none has. Raises `Unknown`."""
        tags = self.forge.released()
        later = tags.index(self.tag) + 1 if self.tag in tags else 0
        for tag in tags[later : later + _EARLIER]:
            found = self.forge.public(tag)
            if found is not None and any(is_bundle(each.name) for each in found.assets):
                return tag
        return ""


def _named(name: str) -> tuple[str, str] | None:
    """The project and the version in the name of a distribution."""
    try:
        project, version, *_ = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return None
    return project, str(version)
