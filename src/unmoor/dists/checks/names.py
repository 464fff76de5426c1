"""Check file names against PEP 427, PEP 440 and PEP 625, and against the platforms that an index accepts."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator

from packaging.utils import canonicalize_name
from packaging.version import Version

from unmoor import advice
from unmoor.dists import inspect
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.inspect import FileName
from unmoor.errors import InvalidDist
from unmoor.filesystem.files import is_safe_name
from unmoor.ports.world import WheelPlatforms

FILE_NAME = CheckRule(name="file-name", refuses="a file name that is neither a wheel's nor an sdist's")
TAG = CheckRule(
    name="file-name-tag",
    refuses="a wheel's file name with an empty tag or an interpreter that is no identifier",
    by=By.INSTALLERS,
)
UNSAFE = CheckRule(
    name="file-name-unsafe", refuses="a file name with other characters than letters, digits and `-_.+!`", by=By.UNMOOR
)
LENGTH = CheckRule(name="file-name-length", refuses="a file name too long to store with the `.metadata` suffix")
SDIST = CheckRule(
    name="sdist-name", refuses="an sdist not called NAME-VERSION.tar.gz, with both parts normalised (PEP 625)"
)
PROJECT = CheckRule(name="wheel-project", refuses="a wheel whose name does not start with the normalised project name")
VERSION = CheckRule(name="wheel-version", refuses="a wheel with different versions in its name and its metadata")
PLATFORM = CheckRule(
    name="wheel-platform",
    refuses="a wheel for a platform that PyPI does not accept, such as linux_x86_64",
    advice=advice.BUILD_WHEELS_FOR_ALL(),
)
LOCAL_PLATFORM = CheckRule(
    name="wheel-platform-local",
    refuses="a wheel for a platform that PyPI does not accept, on an index that plays its part, as in a rehearsal",
    by=By.UNMOOR,
    warns=True,
)
NO_PLATFORM = CheckRule(
    name="wheel-platform-tail",
    refuses="a wheel for a platform that PyPI accepts but no machine has, such as ios_13_0_arm64_iphoneos_2",
    by=By.INSTALLERS,
)
STDLIB = CheckRule(name="name-stdlib", refuses="a new project named like a standard library module", warns=True)
RULES = (FILE_NAME, TAG, UNSAFE, LENGTH, SDIST, PROJECT, VERSION, PLATFORM, LOCAL_PLATFORM, NO_PLATFORM, STDLIB)

_METADATA_SUFFIX = ".metadata"
_NAME_LIMIT = 255

# The platforms that PyPI accepts, as of August 2026 (facts from warehouse/forklift/legacy.py; patterns written here).
_LINUX = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
_MACOS = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2"
_ACCEPTED = tuple(
    re.compile(pattern)
    for pattern in (
        r"any",
        r"win32|win_amd64|win_arm64|win_ia64",
        r"linux_armv[67]l",
        r"manylinux(1|2010)_(x86_64|i686)",
        r"manylinux2014_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)",
        rf"manylinux_\d+_\d+_({_LINUX}|ppc64)",
        rf"musllinux_\d+_\d+_({_LINUX})",
        rf"macosx_10_\d+_({_MACOS})",
        rf"macosx_(11|12|13|14|15|26)_0_({_MACOS})",
        r"ios_\d+_\d+_(arm64|x86_64)_(iphoneos|iphonesimulator)",
        r"android_\d+_(armeabi_v7a|arm64_v8a|x86|x86_64)",
        r"pyemscripten_\d+_\d+_wasm32",
    )
)
# PyPI compares only the beginning of these.
_IOS, _IOS_MACHINES = re.compile(r"ios_\d+_\d+_(.*)_(?:iphoneos|iphonesimulator)"), ("arm64", "x86_64")
_PYEMSCRIPTEN = re.compile(r"pyemscripten_\d+_\d+_wasm32")


def check_filename(
    filename: str, problems: list[Problem], *, accepted: WheelPlatforms = WheelPlatforms.PUBLIC
) -> FileName | None:
    """Parse a file name and add what is wrong to ``problems``. Returns ``None`` if it cannot be parsed.

    ``accepted`` are the platforms of the wheels that the index accepts.
    """
    if filename.endswith(".whl") and len(filename.encode()) + len(_METADATA_SUFFIX) > _NAME_LIMIT:
        problems.append(violation(LENGTH, f"the name has {len(filename.encode())} bytes"))
        return None
    if filename.endswith(".zip"):
        problems.append(violation(SDIST, "an sdist is a .tar.gz archive"))
        return None
    try:
        found = inspect.parse_filename(filename)
    except InvalidDist as error:
        platforms = _platforms_of_invalid(filename)
        problems.append(violation(TAG if platforms else FILE_NAME, error.what))
        problems.extend(_check_platforms(platforms, accepted))
        return None
    if not is_safe_name(filename):
        problems.append(violation(UNSAFE, f"{filename} is not a plain file name"))
        return None
    problems.extend(_check_platforms({tag.platform for tag in found.tags}, accepted))
    return found


def _platforms_of_invalid(filename: str) -> set[str]:
    """The platforms in a wheel's name that is invalid for its tags only: older versions of packaging accept it."""
    parts = filename.removesuffix(".whl").split("-")
    try:
        inspect.parse_filename("-".join([*parts[:-3], "py3-none-any.whl"]))
    except InvalidDist:
        return set()
    return set(parts[-1].split(".")) if filename.endswith(".whl") and filename.isprintable() else set()


def _check_platforms(platforms: Collection[str], accepted: WheelPlatforms) -> Iterator[Problem]:
    for platform in sorted(platforms):
        if accepted is WheelPlatforms.ANY or any(pattern.fullmatch(platform) for pattern in _ACCEPTED):
            continue
        begun = _IOS.match(platform)
        if _PYEMSCRIPTEN.match(platform) or (begun and begun[1] in _IOS_MACHINES):
            yield violation(NO_PLATFORM, f"no machine has the platform {platform!r}")
        elif accepted is WheelPlatforms.LENIENT:
            what = f"{_what_wheel(platform)}: PyPI refuses it, but this local world takes it for the rehearsal"
            yield violation(LOCAL_PLATFORM, f"{what}. For the release, {advice.BUILD_WHEELS_FOR_ALL()}")
        else:
            yield violation(PLATFORM, f"{_what_wheel(platform)}: it is tested here and never uploaded")


def _what_wheel(platform: str) -> str:
    """Say what a wheel for a platform that PyPI does not accept is."""
    where = "this machine only" if platform.startswith("linux_") else "a platform that no index for everybody accepts"
    return f"the wheel is for {where} ({platform})"


def compare_with_metadata(filename: str, found: FileName, name: str, version: str) -> Iterator[Problem]:
    """Compare a file name with the ``name`` and ``version`` of the metadata inside, as PyPI does."""
    wanted = canonicalize_name(name).replace("-", "_")
    try:
        release = Version(version)
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return  # the metadata rules report it
    if not filename.endswith(".whl"):
        expected = f"{wanted}-{release}.tar.gz"
        if filename != expected:
            yield violation(SDIST, f"the file should be called {expected}")
        return
    if filename.partition("-")[0] != wanted:
        yield violation(PROJECT, f"the file name should start with {wanted}, the name in the metadata")
    if found.version != release:
        yield violation(VERSION, f"the file name has version {found.version}, but the metadata has {release}")


def check_reserved(name: str) -> Iterator[Problem]:
    """Warn about a name that PyPI does not give to new projects."""
    if canonicalize_name(name) in {canonicalize_name(each) for each in sys.stdlib_module_names}:
        yield violation(STDLIB, f"{name} is a standard library module, and a new project cannot have that name")
