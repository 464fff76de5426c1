"""Settings that belong together, as one value for the stage that takes them. Option names stay flat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How the files are built: ``python``, ``formats``, ``wheel-from``, ``normalize-sdist``, ``build-constraints``."""

    python: str = "auto"
    formats: tuple[str, ...] = ("wheel", "sdist")
    wheel_from: Literal["sdist", "tree"] = "sdist"
    normalize_sdist: bool = True
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SuiteOptions:
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


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What of a file need not import in a plain install: the settings that begin with ``import-``, by module.

    ``tried_first`` are the extras that the tests have. ``lenient``: the tests are turned off.
    """

    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    markers: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    tried_first: tuple[str, ...] = ()
    lenient: bool = False


DEFAULT_IMPORTS: Final = ImportOptions()
