"""Files with names that not every system can have: errors if only that system could install them, else warnings."""

from __future__ import annotations

import tarfile

from tests.dists.checks.cases import Case, sdist_with, wheel
from tests.dists.checks.packing import special

_LONG = f"{'deep/' * 34}module.py"

FOREIGN = (
    *(
        Case(name, "wheel-names", wheel(tag=tag, files={name: b""}), None)
        for name, tag in (
            ("pkg/aux.py", "py3-none-win_amd64"),
            ("pkg/a?b.txt", "cp311-cp311-win32"),
            ("pkg/nul", "py3-none-win_arm64.win_amd64"),
        )
    ),
    *(
        Case(f"on {tag}", "wheel-case", wheel(tag=tag, files={"pkg/A.py": b"", "pkg/a.py": b""}), None)
        for tag in ("py3-none-win_amd64", "py3-none-macosx_11_0_arm64", "py3-none-macosx_11_0_arm64.win_amd64")
    ),
)
"""Wheels for one system that it cannot install."""

PORTABLE = (
    *(
        Case(f"{name} for any platform", "portable-names", wheel(files={name: b""}), None)
        for name in ("pkg/aux.py", "pkg/Con.tar.gz", "com1/__init__.py", "pkg/12:30.json", "pkg/trailing.", "pkg/end ")
    ),
    Case(
        "also for Linux",
        "portable-names",
        wheel(tag="py3-none-win_amd64.manylinux2014_x86_64", files={"nul": b""}),
        None,
    ),
    Case("in an sdist", "portable-names", sdist_with(lambda top: (f"{top}/tests/what?.txt", b"")), None),
    *(
        Case(f"{first} and {second}", "portable-case", wheel(files={first: b"", second: b""}), None)
        for first, second in (
            ("pkg/Data.json", "pkg/data.json"),
            ("Pkg/one.json", "pkg/two.json"),
        )
    ),
    Case(
        "case in an sdist",
        "portable-case",
        sdist_with(lambda top: (f"{top}/README", b""), lambda top: (f"{top}/readme", b"")),
        None,
    ),
    Case(
        "normalization in an sdist",
        "portable-case",
        sdist_with(lambda top: (f"{top}/caf\u00e9", b""), lambda top: (f"{top}/cafe\u0301", b"")),
        None,
    ),
    Case("too deep", "portable-length", wheel(files={_LONG: b""}), None),
    Case("too deep in an sdist", "portable-length", sdist_with(lambda top: (f"{top}/{_LONG}", b"")), None),
    Case(
        "to a folder",
        "portable-links",
        sdist_with(lambda top: (f"{top}/a/b", b""), lambda top: special(f"{top}/x", tarfile.SYMTYPE, "a")),
        None,
    ),
    Case("to nothing", "portable-links", sdist_with(lambda top: special(f"{top}/x", tarfile.SYMTYPE, "absent")), None),
)
"""Files for every system that some of them cannot unpack."""
