"""What is released, as the command line and the run's surroundings say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unmoor.adapters.factory import Services
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.images.image_names import LOCAL
from unmoor.ports.index import Index
from unmoor.util.secret import Secret


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """What is released: a tag, and what the run's surroundings say about it.

    ``named`` tells a tag that the user gave from one that was found on HEAD. ``commit`` is the
    commit that GitHub Actions names, empty elsewhere. ``real`` is false in a rehearsal. ``images``
    are those to build, none for a project without; ``platforms`` leaves out others where it names any.
    ``local_prefix`` is what their names on this machine begin with. ``legs`` are the folders of runs
    on other machines that built some of them. ``published`` is false where the world may not be asked
    what it holds; ``settings`` as in `Release`. ``prebuilt`` and ``handed`` as in `BuildDists`, ``any_platform``
    as in `CheckDists`.
    """

    tag: str
    named: bool
    repository: str
    commit: str = ""
    real: bool = True
    images: tuple[ImageSettings, ...] = ()
    platforms: tuple[str, ...] = ()
    keep_images: bool = False
    local_prefix: str = LOCAL
    legs: tuple[Path, ...] = ()
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    site: str = "https://github.com"
    skipped: tuple[str, ...] = ()
    published: bool = True
    settings: str = ""
    prebuilt: Path | None = None
    handed: bool = False
    any_platform: bool = False


def staging_index(settings: Settings, services: Services, skipped: tuple[str, ...] = ()) -> Index | None:
    """The staging index that a project uses, ``None`` where the world has none or it is not wanted."""
    return services.staging if settings.testpypi != "off" and "testpypi" not in skipped else None
