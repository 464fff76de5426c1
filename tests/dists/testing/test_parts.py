"""Which modules a plain install is for, and which package supplies a module, by their names."""

from __future__ import annotations

import pytest

from unmoor.dists.main_modules import main_modules
from unmoor.dists.testing.platforms import supplier_elsewhere, supplies


@pytest.mark.parametrize(
    ("project", "modules", "main"),
    [
        ("black", ["black", "blackd", "blib2to3", "_black_version"], ["black"]),
        ("PyYAML", ["yaml", "_yaml"], ["yaml"]),
        ("google-cloud-storage", ["google.cloud.storage", "google.cloud._storage_v2"], ["google.cloud.storage"]),
        ("beautifulsoup4", ["bs4"], ["bs4"]),
        ("python-dateutil", ["dateutil", "_tz"], ["dateutil"]),
        ("Small.One", ["small_one", "small_one_cli"], ["small_one"]),
        ("acme", ["acme_core", "acme_server"], ["acme_core", "acme_server"]),
        ("toolbox", ["alpha", "beta", "_gamma"], ["alpha", "beta"]),
        ("x", ["_only"], ["_only"]),
        ("x", [], []),
    ],
)
def test_main_modules(project: str, modules: list[str], main: list[str]) -> None:
    """The module with the project's name; else those with a part of it; else every public one."""
    assert sorted(main_modules(project, modules)) == main


@pytest.mark.parametrize(
    ("package", "module", "expected"),
    [
        ("aiohttp", "aiohttp", True),
        ("PyYAML", "yaml", True),
        ("python-magic", "magic", True),
        ("ruamel.yaml", "yaml", False),
        ("beautifulsoup4", "bs4", False),
        ("pywin32", "win32api", True),
        ("pywin32", "pythoncom", True),
        ("pywin32", "requests", False),
        ("pyobjc-framework-Cocoa", "AppKit", True),
        ("pyobjc-framework-Quartz", "Quartz", True),
        ("pyobjc-framework-Quartz", "requests", False),
    ],
)
def test_a_package_supplies_a_module(package: str, module: str, *, expected: bool) -> None:
    """A name that only resembles another decides nothing."""
    assert supplies(package, module) is expected


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("absent-one; sys_platform == 'never'", ""),
        ("absent-one; sys_platform == 'win32'", 'absent-one; sys_platform == "win32"'),
        (
            "absent-one>=2; platform_machine == 'nothing' or os_name == 'nt'",
            'absent-one>=2; platform_machine == "nothing"',
        ),
        ("absent-one; python_version < '3'", ""),
        ("absent-one; sys_platform == 'win32' and python_version < '3'", ""),
        ("absent-one; extra == 'win'", ""),
        ("absent-one; extra == 'win' and sys_platform == 'win32'", 'absent-one; extra == "win"'),
        ("absent-one", ""),
        ("absent-one; sys_platform ~= 'win32'", ""),
        ("not a requirement", ""),
    ],
)
def test_a_requirement_of_another_platform(requirement: str, expected: str) -> None:
    """Only a marker that is true on another platform, with the same Python, explains that a module is missing."""
    found = supplier_elsewhere("absent_one", [requirement], {"python_version": "3.12", "python_full_version": "3.12.1"})
    assert str(found or "").startswith(expected)
    assert bool(found) is bool(expected)
