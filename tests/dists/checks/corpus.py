"""Bad files, each with the rule that it breaks here and PyPI's message.

The message is ``None`` if PyPI accepts the file, and ``500`` if it fails with an internal error.

The messages come from PyPI's source (warehouse/forklift/legacy.py, forklift/metadata.py and
utils/zipfiles.py at 6b62157). The local world's index must return the same ones.
"""

from __future__ import annotations

from tests.dists.checks.bad_insides import SDISTS, WHEELS
from tests.dists.checks.bad_metadata import DESCRIPTIONS, LICENCES, METADATA
from tests.dists.checks.bad_portable import FOREIGN, PORTABLE
from tests.dists.checks.bad_zips import NAMES, SIZES, ZIPS
from tests.dists.checks.cases import Case, wheel, with_metadata
from tests.dists.checks.packing import Tail, Wheel, metadata

CASES = (*NAMES, *SIZES, *METADATA, *LICENCES, *DESCRIPTIONS, *ZIPS, *WHEELS, *FOREIGN, *SDISTS)

WARNED = (
    Case(
        "the standard library's",
        "name-stdlib",
        lambda _: Wheel(name="asyncio").file(),
        "conflict with the Python Standard Library",
    ),
    Case("none", "description-missing", with_metadata(body=""), None),
    *(
        Case(
            f"{body!r} in plain text",
            "description-missing",
            with_metadata("Description-Content-Type: text/plain", body=body),
            None,
        )
        for body in ("\n", " \n", "\t")
    ),
    *(
        Case(kind, "metadata-charset", with_metadata(f"Description-Content-Type: {kind}"), None)
        for kind in ("text/markdown; charset=utf-8", "text/plain; charset=Utf-8; format=fixed")
    ),
    Case(
        "none",
        "description-content-type",
        lambda name: Wheel(
            name=name, text=metadata(name).replace(b"Description-Content-Type: text/markdown\n", b"")
        ).file(),
        None,
    ),
    Case(
        "classifier and expression",
        "licence-classifier",
        with_metadata("License-Expression: MIT", "Classifier: License :: OSI Approved :: MIT License"),
        None,
    ),
    Case(
        "in 2.1",
        "licence-undeclared",
        with_metadata("License-File: LICENSE", declared="2.1"),
        "introduced in metadata version",
    ),
    Case("text", "zip-archive-comment", wheel(tail=Tail(comment=b"words")), None),
    *PORTABLE,
    Case("other tags", "wheel-tags", wheel(info={"WHEEL": b"Wheel-Version: 1.0\nTag: py2-none-any\n"}), None),
)
"""Files that cause a warning here and are not refused."""
