"""The sha256 of the wheels that an environment was installed from, which uv knows and does not keep.

uv names the wheels of exactly these versions in a lock file (``pylock.toml``, PEP 751), which `packaging.pylock` reads.
The wheel is the only one with the tags and the build number that the installed package has. pip's ``install --report``
gives the digest itself, but with another configuration and installer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING

from packaging.tags import Tag, parse_tag
from packaging.utils import canonicalize_name, parse_wheel_filename

from unmoor.adapters.uv import UvEnvironment
from unmoor.errors import UnmoorError
from unmoor.util.decode import decode_toml
from unmoor.util.digests import is_sha256

if TYPE_CHECKING:
    from packaging.pylock import Package


def installed_wheels(environment: UvEnvironment) -> Mapping[str, str]:
    """Return sha256 by the normalised name of the package; what is not certain is left out.

    Raises nothing: a digest that is unknown is no fault of a build.
    """
    installed = {canonicalize_name(each.name): each for each in distributions(path=[str(environment.packages)])}
    # One from an address or a folder is not that of an index.
    named = {name: each for name, each in installed.items() if each.read_text("direct_url.json") is None}
    try:
        locked = _locked(environment, [f"{name}=={each.version}" for name, each in sorted(named.items())])
        return {
            package.name: digest
            for package in locked
            if package.name in named and (digest := _digest(package, named[package.name]))
        }
    except (UnmoorError, OSError, ValueError, TypeError):
        return {}


def _locked(environment: UvEnvironment, pins: list[str]) -> list[Package]:
    """The packages of these versions, with every wheel that an index has of them."""
    from packaging.pylock import Pylock

    if not pins:
        return []
    source, lock = environment.folder / "installed.in", environment.folder / "pylock.toml"
    source.write_text("".join(f"{pin}\n" for pin in pins), "utf-8")
    args = ["pip", "compile", "--quiet", "--no-header", "--no-deps", "--format=pylock.toml", f"--output-file={lock}"]
    args += ["--python", str(environment.python), "--", str(source)]
    ran = environment.uv.uv_that_builds(args, cwd=environment.folder, variables=environment.variables)
    return list(Pylock.from_dict(decode_toml(lock.read_text("utf-8"))).packages) if ran.code == 0 else []


def _digest(package: Package, installed: Distribution) -> str:
    """The sha256 of the wheel that was installed, empty if no wheel or more than one may be it."""
    found = set(_digests(package, installed))
    return found.pop() if len(found) == 1 else ""


def _digests(package: Package, installed: Distribution) -> Iterator[str]:
    wanted, number = _tags(installed)
    for wheel in package.wheels or ():
        _, version, build, tags = parse_wheel_filename(wheel.filename)
        same = tags == wanted and "".join(map(str, build)) == number
        if same and str(version) == str(package.version):
            digest = wheel.hashes.get("sha256", "")
            yield digest.lower() if is_sha256(digest.lower()) else ""


def _tags(installed: Distribution) -> tuple[frozenset[Tag], str]:
    """The tags and the build number in WHEEL (PEP 427)."""
    headers = HeaderParser().parsestr(installed.read_text("WHEEL") or "")
    tags = [parse_tag(str(tag)) for tag in headers.get_all("Tag", [])]
    return frozenset().union(*tags), str(headers.get("Build", ""))
