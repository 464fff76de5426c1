"""The platforms whose wheels PyPI accepts."""

from __future__ import annotations

import re

_FIXED = {"any", "win32", "win_arm64", "win_amd64", "win_ia64", "linux_armv6l", "linux_armv7l"}
_LINUX = {"x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64"}
_OLD_LINUX = {
    "manylinux1": {"x86_64", "i686"},
    "manylinux2010": {"x86_64", "i686"},
    "manylinux2014": {"x86_64", "i686", "aarch64", "armv7l", "ppc64", "ppc64le", "s390x"},
}
_MACOS = {
    "ppc",
    "ppc64",
    "i386",
    "x86_64",
    "arm64",
    "intel",
    "fat",
    "fat3",
    "fat64",
    "universal",
    "universal2",
}
_MACOS_MAJORS = {"11", "12", "13", "14", "15", "26"}
_ANDROID = {"armeabi_v7a", "arm64_v8a", "x86", "x86_64"}
_IOS = re.compile(r"\d+_\d+_(.*)_(?:iphoneos|iphonesimulator)")


def is_taken(platform: str) -> bool:
    """Whether PyPI accepts wheels for a platform. It ignores what follows the names of iOS and Pyodide."""
    family, _, rest = platform.partition("_")
    if family == "android":
        level, _, arch = rest.partition("_")
        return level.isdecimal() and arch in _ANDROID
    if family == "ios":
        named = _IOS.match(rest)
        return named is not None and named[1] in {"arm64", "x86_64"}
    if family == "pyemscripten":
        major, minor, arch = _three(rest)
        return major.isdecimal() and minor.isdecimal() and arch.startswith("wasm32")
    return platform in _FIXED or rest in _OLD_LINUX.get(family, ()) or _is_versioned(family, *_three(rest))


def _three(rest: str) -> tuple[str, str, str]:
    major, _, rest = rest.partition("_")
    minor, _, arch = rest.partition("_")
    return major, minor, arch


def _is_versioned(family: str, major: str, minor: str, arch: str) -> bool:
    """Whether PyPI accepts a family of platforms with that version and architecture."""
    arches = {
        "manylinux": _LINUX | {"ppc64"},
        "musllinux": _LINUX,
        "macosx": _MACOS if major == "10" or (major in _MACOS_MAJORS and minor == "0") else set(),
    }
    return major.isdecimal() and minor.isdecimal() and arch in arches.get(family, set())
