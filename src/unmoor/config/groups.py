"""Settings that belong together, as one value for the stage that takes them. Option names stay flat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the files are built: ``python``, ``formats``, ``wheel-from``, ``normalize-sdist``, ``build-constraints``."""

    python: str = "auto"
    formats: tuple[str, ...] = ("wheel", "sdist")
    wheel_from: Literal["sdist", "tree"] = "sdist"
    normalize_sdist: bool = True
    constraints: tuple[str, ...] = ()


class SuiteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the built files are tested: ``tests``, and the settings that begin with ``test-``. ``timeout`` in seconds."""

    mode: Literal["auto", "configured", "off"] = "auto"
    command: str = ""
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    modules: Literal["remove", "keep"] = "remove"
    pythons: tuple[str, ...] = ()
    timeout: float = 600.0


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What of a file need not import in a plain install: the settings that begin with ``import-``, by module.

    ``tried_first`` are the extras that the tests have. ``lenient``: the tests are turned off.
    """

    extras: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    markers: Mapping[str, str] = msgspec.field(default_factory=dict)
    skip: tuple[str, ...] = ()
    tried_first: tuple[str, ...] = ()
    lenient: bool = False


DEFAULT_IMPORTS: Final = ImportOptions()
