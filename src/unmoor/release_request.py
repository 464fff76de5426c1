"""What to release, how far, and with which settings: resolved once, before any stage exists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Reach
from unmoor.core.waivers import Emergency, Gate
from unmoor.images.image_names import LOCAL
from unmoor.ports.index import Index
from unmoor.ports.key_signer import KeySigner
from unmoor.ports.registry import Packages, Registry
from unmoor.ports.services import Services
from unmoor.ports.signer import Signing
from unmoor.ports.world import WheelPlatforms
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from unmoor.images.image_plan import ImagePlan


class ReleaseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One tag of one repository, the settings at its commit, and what the command line asks for.

    What and how far:

    - ``named`` tells a tag that the user gave from one that was found on HEAD;
    - ``commit`` is the commit that GitHub Actions names, empty elsewhere;
    - ``real`` is false in a rehearsal and in any world but the real one;
    - ``published`` is false if the world may not be asked what it already holds;
    - ``skipped`` are the names of stages to leave out;
    - ``whole`` is false if only some stages are asked for;
    - ``sign_with`` names the key that signs the list of checksums, empty for none;
    - ``no_project_code`` forbids to build, import or test the project, and whatever could run code of it;
    - ``holds_services`` starts the new version of a service, and does not switch to it;
    - ``emergency`` is the emergency in which a person releases, ``None`` for any other run; the settings are already
      those that its waived gates leave;
    - ``any_version`` deploys a version although it is not the highest final one;
    - ``command`` is the command line that goes on with the release;
    - ``settings_origin`` says where the settings came from, if not from the commit: see `Release`.

    Files: ``prebuilt`` is a folder that another tool filled in this job; ``handed`` says that other jobs
    filled the run folder; ``wheel_platforms`` are the platforms whose wheels the indexes of the world accept.

    Images: ``images`` are those to build, ``platforms`` the only platforms to build for (empty: all of them),
    ``local_prefix`` the beginning of their names on this machine, ``legs`` the run folders of machines that
    built some of them, ``secrets`` the values of build secrets by name, ``site`` the forge's web address.
    """

    tag: str
    named: bool
    repository: str
    settings: Settings
    folder: RunFolder
    ceiling: Reach
    commit: str = ""
    real: bool = True
    sign_with: str = ""
    images: tuple[ImageSettings, ...] = ()
    platforms: tuple[str, ...] = ()
    keep_images: bool = False
    local_prefix: str = LOCAL
    legs: tuple[Path, ...] = ()
    secrets: Mapping[str, Secret] = msgspec.field(default_factory=dict)
    site: str = "https://github.com"
    skipped: tuple[str, ...] = ()
    whole: bool = True
    no_project_code: bool = False
    holds_services: bool = False
    published: bool = True
    any_version: bool = False
    command: str = ""
    settings_origin: str = ""
    emergency: Emergency | None = None
    prebuilt: Path | None = None
    handed: bool = False
    wheel_platforms: WheelPlatforms = WheelPlatforms.PUBLIC

    @property
    def pushes(self) -> bool:
        """Whether this run may write to a surface."""
        return self.ceiling >= Reach.REMOTE

    @property
    def stands_in(self) -> bool:
        """Whether the indexes of the world stand in for public ones, so that nothing reaches a user."""
        return self.wheel_platforms is WheelPlatforms.LENIENT

    @property
    def builds_images(self) -> bool:
        """Whether this run is asked for images, and may build them."""
        return bool(self.images) and self.whole and self.ceiling >= Reach.LOCAL

    @property
    def advisory(self) -> bool:
        """Whether the staging index may fail."""
        return self.settings.testpypi == "advisory"

    def waives(self, gate: Gate) -> bool:
        """Whether this run waives a gate."""
        return self.emergency is not None and gate in self.emergency.gates

    def staging(self, services: Services) -> Index | None:
        """The staging index that the release uses, if any."""
        return services.staging if self.settings.testpypi != "off" and "testpypi" not in self.skipped else None

    def signing(self, services: Services) -> Signing | None:
        """What signs the release: ``None`` if it is turned off, or not required and this process has no identity."""
        policy, signing = self.settings.attestations, services.signing
        if signing is None or policy == "off":
            return None
        return signing if policy == "required" or signing.signer.credential().present else None

    def why_unsigned(self, services: Services) -> str:
        """Why this run signs nothing although it may; empty if it signs, must sign or may not."""
        policy, signing = self.settings.attestations, services.signing
        if signing is None or policy != "auto":
            return ""
        credential = signing.signer.credential()
        return "" if credential.present else credential.origin

    def unsigned_by_hand(self, services: Services) -> bool:
        """Whether this run sends files that nothing signs, since a person runs it outside any CI."""
        signing = services.signing
        return (
            self.pushes
            and signing is not None
            and bool(self.why_unsigned(services))
            and signing.signer.credential().by_hand
        )

    def sums_signer(self, services: Services) -> KeySigner | None:
        """The key that signs the list of checksums, ``None`` if there is to be none."""
        return services.keys(self.sign_with) if self.sign_with else None

    def image_plans(self, services: Services) -> tuple[ImagePlan, ...]:
        """Which images go to which registries."""
        if not self.images:
            return ()
        from unmoor.images.image_plan import image_plans  # and the rule language of tags

        return image_plans(self.images, self.repository, services.registry)

    def registries(self, services: Services) -> tuple[Registry, ...]:
        """Every registry that is pushed to."""
        if not self.images:
            return ()
        from unmoor.images.image_plan import registries

        return registries(self.image_plans(services))

    def packages(self, services: Services) -> dict[str, Packages]:
        """The package pages of those registries, where they have any."""
        return {r.name: p for r in self.registries(services) if (p := services.packages(r.name)) is not None}
