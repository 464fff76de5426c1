"""What there is to import in a file: its modules and entry points, and which of them a plain install must import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from packaging.utils import canonicalize_name

from unmoor.dists import inspect
from unmoor.dists.main_modules import main_modules
from unmoor.dists.testing.platforms import supplies
from unmoor.dists.testing.probe import entry_point_label
from unmoor.products import File
from unmoor.project.test_needs.source import packages_of_extra
from unmoor.util.text import clean

if TYPE_CHECKING:  # slow to import, and not needed by runs that only read
    from importlib.metadata import EntryPoint

T = TypeVar("T")
_PROGRAMS: Final = frozenset({"console_scripts", "gui_scripts"})


@dataclass(frozen=True, kw_only=True)
class DistUnderTest:
    """A file to test, with the metadata, modules, entry points and requirements of the project's wheel.

    ``environment`` are the variables of markers (PEP 508) for the interpreter that tests it.
    """

    file: File
    metadata: inspect.Metadata
    modules: tuple[str, ...] = ()
    points: tuple[EntryPoint, ...] = ()
    requires: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras that the project declares."""
        return self.metadata.extras

    @property
    def own(self) -> frozenset[str]:
        """The top-level names of the project's modules."""
        return frozenset(name.partition(".")[0] for name in self.modules)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Everything to import: the modules, then the entry points."""
        main = main_modules(self.metadata.name, self.modules)
        plugins = {point.module for point in self.points if point.group not in _PROGRAMS}
        programs = {point.module for point in self.points if point.group in _PROGRAMS}
        return (
            *(
                Part(
                    name=name,
                    module=name,
                    is_main=name in main,
                    is_plugin=name not in main and _has(name, plugins) and not _has(name, programs),
                )
                for name in self.modules
            ),
            *(
                Part(
                    name=entry_point_label(point),
                    module=point.module,
                    point=point,
                    is_plugin=point.group not in _PROGRAMS,
                )
                for point in self.points
            ),
        )

    def names(self, extra: str, missing: str) -> bool:
        """Whether a requirement of an extra has the name of a missing module."""
        packages = packages_of_extra(self.metadata, extra)
        return bool(missing) and any(supplies(package, missing) for package in packages)

    def is_own(self, missing: str) -> bool:
        """Whether a missing module or package is one of the project itself."""
        return missing in self.own or canonicalize_name(missing) == canonicalize_name(self.metadata.name)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A module to import, or the entry point ``point`` to load, which is in ``module``.

    ``is_main``: a module that users of a plain install import. ``is_plugin``: only another program imports it.
    """

    name: str
    module: str
    point: EntryPoint | None = None
    is_main: bool = False
    is_plugin: bool = False

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras that the entry point itself names."""
        return tuple(self.point.extras) if self.point is not None else ()

    @property
    def key(self) -> str:
        """Its module as a key in TOML."""
        return f'"{clean(self.module)}"' if "." in self.module else clean(self.module)

    @property
    def loads(self) -> str:
        """The verb for a message."""
        return "imports" if self.point is None else "loads"

    @property
    def fails(self) -> str:
        """The beginning of a message."""
        return f"{self.name} does not import" if self.point is None else f"the entry point {self.name} does not load"

    @property
    def result_name(self) -> str:
        """Its name in results."""
        return f"import of {self.name}" if self.point is None else self.name

    def is_named(self, key: str) -> bool:
        """Whether a key of the settings means this part: its module or one above it, or ``module:attribute``."""
        if self.point is not None and key == f"{self.point.module}:{self.point.attr}":
            return True
        return f"{self.module}.".startswith(f"{key}.")


def setting_of(part: Part, settings: Mapping[str, T], default: T) -> T:
    """The value of a setting by module for a part: that of the most specific key, or else the default."""
    keys = [key for key in settings if part.is_named(key)]
    return settings[max(keys, key=len)] if keys else default


def _has(module: str, names: Iterable[str]) -> bool:
    """Whether one of the names is the module or is in it."""
    return any(f"{name}.".startswith(f"{module}.") for name in names)
