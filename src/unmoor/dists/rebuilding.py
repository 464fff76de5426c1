"""Which files can be built a second time, and how the second build differs from the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.dists.building import BY_ANOTHER_TOOL, DistBuilder, Tell
from unmoor.dists.inspect import parse_filename
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.backend import OTHER_UMASK, OTHER_VARIABLES, UMASK
from unmoor.products import Dists, File, Release
from unmoor.util.text import clean, count_of

if TYPE_CHECKING:
    from unmoor.dists.comparison import Comparison


def is_compiled(file: File) -> bool:
    """Whether a wheel is for one platform or one ABI."""
    return file.is_wheel and any((tag.abi, tag.platform) != ("none", "any") for tag in parse_filename(file.name).tags)


def why_not(file: File, dists: Dists, *, compiled: bool) -> str:
    """Why a file cannot be built a second time; empty if it can. ``compiled``: compiled wheels are built, too."""
    if BY_ANOTHER_TOOL in dists.decisions and (file.is_wheel or not dists.tools):
        return f"not rebuilt: {BY_ANOTHER_TOOL}"
    if not compiled and is_compiled(file):
        return "not rebuilt: compiled"
    return "" if dists.tools else "not rebuilt: the tools that built it are not known"


def build_again(
    builder: DistBuilder,
    files: Iterable[File],
    release: Release,
    dists: Dists,
    *,
    say: Tell,
    warn: Tell,
    elsewhere: bool,
) -> Mapping[str, Comparison]:
    """Build files a second time, and compare each with the first. Returns the comparisons by file name.

    ``elsewhere``: under other conditions, which show what a build depends on. Raises as `DistBuilder.build` does.
    """
    from unmoor.dists.comparison import Comparison, compare  # and the rules for archives, which a plan does without

    wanted = tuple(files)
    formats = builder.options.formats
    if not any(file.is_wheel for file in wanted):
        formats = tuple(each for each in formats if each != "wheel") or ("sdist",)
    with temporary_folder() as work:
        folder = work / "another" / "folder" if elsewhere else work
        folder.mkdir(parents=True, exist_ok=True)
        built = builder.build(
            folder, release, formats=formats, say=say, warn=warn, tools=dists.tools, elsewhere=elsewhere
        )
        second = {path.name: path for path in built.files}
        umask = OTHER_UMASK & ~UMASK if elsewhere else 0
        marks = {str(work): "the folder of the build"}
        marks |= {OTHER_VARIABLES["USER"]: "the name of the user"} if elsewhere else {}
        return {
            file.name: compare(file.path, second[file.name], umask=umask, marks=marks)
            if file.name in second
            else Comparison(differences=(_absent(file, second),))
            for file in wanted
        }


def _absent(file: File, second: Mapping[str, Path]) -> str:
    kind = [name for name in second if name.endswith(".whl") is file.is_wheel]
    return f"the second build made {clean(', '.join(kind)) or 'no such file'}"


def how_different(comparison: Comparison) -> str:
    """The difference in a few words."""
    members = count_of(comparison.members, "member")
    return f"{members} differ" if comparison.members > 1 else f"{members} differs" if comparison.members else "differs"
