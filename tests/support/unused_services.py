"""The pipeline of a release with services that are never called, for tests of its stages and their order."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from unmoor.artifacts.run_dir import RunFolder
from unmoor.assembly import assemble
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.core.pipeline import Pipeline
from unmoor.core.stage import Reach
from unmoor.ports.index import Credential
from unmoor.ports.services import Services
from unmoor.ports.system import LINUX
from unmoor.release_request import ReleaseRequest

DEFAULTS = Settings()


def unused_services() -> Services:
    """Return services with names only. A call raises `AttributeError`."""
    credential = Credential(present=True, origin="the CI")
    unused = cast("Any", SimpleNamespace(under=lambda *_, **_options: None))
    return Services(
        system=LINUX,
        **dict.fromkeys(
            ("git", "shell", "clock", "backend", "environments", "resolver", "engine", "inventory", "rules"), unused
        ),
        index=cast("Any", SimpleNamespace(name="pypi")),
        staging=cast("Any", SimpleNamespace(name="testpypi")),
        forge=cast("Any", SimpleNamespace(address="the forge")),
        registry=lambda name: cast("Any", SimpleNamespace(name=name)),
        packages=lambda _name: None,
        keys=lambda key: cast("Any", SimpleNamespace(key=key, suffix=".sig")),
        signing=cast("Any", SimpleNamespace(signer=SimpleNamespace(credential=lambda: credential))),
    )


def unused_pipeline(
    settings: Settings = DEFAULTS, *, skipped: tuple[str, ...] = (), images: tuple[ImageSettings, ...] = ()
) -> Pipeline:
    """Return the whole pipeline for the release of v1.0 of owner/name, with `unused_services`."""
    request = ReleaseRequest(
        tag="v1.0",
        named=True,
        repository="owner/name",
        settings=settings,
        folder=RunFolder(Path(".unmoor/v1.0")),
        ceiling=Reach.FINAL,
        skipped=skipped,
        sign_with=settings.sign_with,
        images=images,
    )
    return assemble(request, unused_services())
