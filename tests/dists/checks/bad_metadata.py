"""Bad metadata, licences and descriptions."""

from __future__ import annotations

from collections.abc import Callable

from tests.dists.checks.cases import Case, File, sdist, with_metadata
from tests.dists.checks.packing import Wheel, metadata

METADATA = (
    Case("unknown field", "metadata-unreadable", with_metadata("No-Such-Field: x"), None),
    Case(
        "field twice",
        "metadata-unreadable",
        with_metadata("Summary: one", "Summary: two"),
        "'summary' has invalid data",
    ),
    Case("unknown version", "metadata-version", with_metadata(declared="9.9"), "is not a valid metadata version"),
    Case(
        "version unknown to PyPI",
        "metadata-version",
        with_metadata(declared="2.6"),
        "is not a valid metadata version",
    ),
    Case(
        "no version",
        "metadata-version",
        lambda name: Wheel(name=name, text=metadata(name).partition(b"\n")[2]).file(),
        "is not a valid metadata version",
    ),
    Case(
        "expression in 2.3",
        "metadata-newer",
        with_metadata("License-Expression: MIT", declared="2.3"),
        "introduced in metadata version",
    ),
    Case(
        "dynamic in 2.1",
        "metadata-newer",
        with_metadata("Dynamic: Requires-Dist", declared="2.1"),
        "introduced in metadata version",
    ),
    Case(
        "invalid",
        "metadata-name",
        lambda name: Wheel(name=name, text=metadata("-x-")).file(),
        "Start and end with a letter",
    ),
    Case(
        "UNKNOWN",
        "metadata-name",
        lambda name: Wheel(name=name, text=metadata("UNKNOWN")).file(),
        "This field is required",
    ),
    Case(
        "no version at all",
        "metadata-release",
        lambda name: Wheel(name=name, text=metadata(name).replace(b"Version: 1.0\n", b"")).file(),
        "is a required field",
    ),
    Case(
        "invalid",
        "metadata-release",
        lambda name: Wheel(name=name, text=metadata(name, "one")).file(),
        "is invalid for",
    ),
    Case(
        "local",
        "metadata-local",
        lambda name: Wheel(name=name, version="1.0+abc").file(),
        "The use of local versions in '1.0+abc' is not allowed",
    ),
    Case(
        "513 characters", "metadata-summary", with_metadata(f"Summary: {'x' * 513}"), "must be 512 characters or less"
    ),
    Case("two lines", "metadata-summary", with_metadata("Summary: one\n        two"), "must be a single line"),
    Case(
        "HTML",
        "metadata-content-type",
        with_metadata("Description-Content-Type: text/html"),
        "'description-content-type' must be one of",
    ),
    Case(
        "another charset",
        "metadata-content-type",
        with_metadata("Description-Content-Type: text/markdown; charset=latin-1"),
        "can only specify the UTF-8 charset",
    ),
    Case(
        "another variant",
        "metadata-content-type",
        with_metadata("Description-Content-Type: text/markdown; variant=Pandoc"),
        "valid Markdown variants",
    ),
    Case("Name", "metadata-dynamic", with_metadata("Dynamic: Name"), "is not allowed as a dynamic field"),
    Case("unknown", "metadata-dynamic", with_metadata("Dynamic: Colour"), "is not a valid dynamic field"),
    Case("space inside", "metadata-extra", with_metadata("Provides-Extra: a b"), "is invalid for 'provides-extra'"),
    Case("text", "metadata-python", with_metadata("Requires-Python: three"), "is invalid for 'requires-python'"),
    Case(
        "not a requirement",
        "metadata-requirement",
        with_metadata("Requires-Dist: a b c"),
        "is invalid for 'requires-dist'",
    ),
    Case(
        "not a requirement, in Provides-Dist",
        "metadata-requirement",
        with_metadata("Provides-Dist: a b c"),
        "'a b c' is invalid",
    ),
    Case(
        "a URL",
        "metadata-direct",
        with_metadata("Requires-Dist: a @ https://example.org/a.whl"),
        "Can't have direct dependency",
    ),
    Case(
        "a URL, in Obsoletes-Dist",
        "metadata-direct",
        with_metadata("Obsoletes-Dist: a @ https://example.org/a"),
        "Can't have direct dependency",
    ),
    Case("unknown", "metadata-classifier", with_metadata("Classifier: Colour :: Blue"), "is not a valid classifier"),
    Case(
        "deprecated",
        "metadata-classifier",
        with_metadata("Classifier: Natural Language :: Ukranian"),
        "has been deprecated",
    ),
    Case(
        "private",
        "metadata-private",
        with_metadata("Classifier: Private :: Do Not Upload"),
        "is not a valid classifier",
    ),
    Case("no domain", "metadata-email", with_metadata("Author-Email: A <nobody>"), "is not a valid email address"),
    Case(
        "two dots, maintainer",
        "metadata-email",
        with_metadata("Maintainer-Email: a@b..c"),
        "is not a valid email address",
    ),
    Case("no scheme", "metadata-url", with_metadata("Home-page: example.org"), "is not a valid url"),
    Case("another scheme", "metadata-url", with_metadata("Download-URL: ftp://example.org/a"), "is not a valid url"),
    Case("javascript", "metadata-url", with_metadata("Project-URL: Docs, javascript:alert(1)"), "is not a valid url"),
    Case("no URL", "metadata-url", with_metadata("Project-URL: Docs, "), "Must have a URL"),
    Case("no label", "metadata-url-label", with_metadata("Project-URL: , https://example.org"), "Must have a label"),
    Case(
        "33 characters",
        "metadata-url-label",
        with_metadata(f"Project-URL: {'x' * 33}, https://example.org"),
        "must be 32 characters or less",
    ),
    Case(
        "keyword",
        "metadata-unsent",
        with_metadata("Import-Name: class", declared="2.5"),
        "is invalid for 'import-name'",
    ),
    Case("Dynamic", "metadata-dynamic", with_metadata("Dynamic: Dynamic"), "is not a valid dynamic field"),
    *(
        Case(f"{name}: {text}", "metadata-placeholder", with_metadata(f"{name}: {text}"), None)
        for name in ("Description-Content-Type", "License-Expression", "Requires-Python")
        for text in ("UNKNOWN", " UNKNOWN ")
    ),
    Case("Requires-Dist: nothing", "metadata-placeholder", with_metadata("Requires-Dist:"), None),
    Case("Provides-Extra: nothing", "metadata-placeholder", with_metadata("Provides-Extra: "), None),
    # The installed version of packaging refuses these; the one that PyPI uses accepts them.
    Case("a vertical tab", "metadata-stricter", with_metadata("Summary: a\vb"), "must be a single line"),
    Case(
        "a parameter",
        "metadata-stricter",
        with_metadata("Description-Content-Type: text/markdown; x"),
        "is not a valid",
    ),
    Case("a drive", "metadata-stricter", with_metadata("License-File: C:LICENSE"), "paths must be relative"),
    Case(
        "a group",
        "metadata-stricter",
        with_metadata("License-Expression: (GPL-2.0-only) WITH Classpath-exception-2.0"),
        "is invalid for 'license-expression'",
    ),
)

LICENCES = (
    Case(
        "not an expression",
        "licence-expression",
        with_metadata("License-Expression: Free as in beer"),
        "is invalid for 'license-expression'",
    ),
    Case("leads out", "licence-path", with_metadata("License-File: ../LICENSE"), "parent directory indicators"),
    Case("pattern", "licence-path", with_metadata("License-File: LICEN*"), "paths must be resolved"),
    Case(
        "not in the wheel",
        "licence-missing",
        with_metadata("License-File: LICENSE"),
        "License-File LICENSE does not exist",
    ),
    Case(
        "not in the sdist",
        "licence-missing",
        sdist(lines=("License-File: LICENSE",)),
        "License-File LICENSE does not exist",
    ),
    Case(
        "licence and expression",
        "licence-both",
        with_metadata("License: MIT", "License-Expression: MIT"),
        "License is deprecated when License-Expression is present",
    ),
)


def _blank(kind: str, body: str) -> Callable[[str], File]:
    """A wheel with a blank description of that type. Empty means that it has no type."""
    if kind:
        return with_metadata(f"Description-Content-Type: {kind}", body=body)
    return lambda name: Wheel(
        name=name, text=metadata(name, body=body).replace(b"Description-Content-Type: text/markdown\n", b"")
    ).file()


DESCRIPTIONS = (
    Case(
        "unknown directive",
        "description-rendering",
        with_metadata("Description-Content-Type: text/x-rst", body="Title\n=====\n\n.. nothing::\n"),
        "The description failed to render for 'text/x-rst'",
    ),
    Case(
        "Markdown read as reStructuredText",
        "description-rendering",
        lambda name: Wheel(
            name=name,
            text=metadata(name, body="`a <b>`_ and `a <c>`_\n\n.. x::\n").replace(
                b"Description-Content-Type: text/markdown\n", b""
            ),
        ).file(),
        "in the default format of reStructuredText",
    ),
    *(
        Case(
            f"{body!r} as {kind or 'reStructuredText by default'}",
            "description-blank",
            _blank(kind, body),
            f"failed to render for {kind!r}" if kind else "in the default format of reStructuredText",
        )
        for kind in ("text/x-rst", "text/markdown", "text/markdown; charset=UTF-8; variant=CommonMark", "")
        for body in ("\n", "\n\n\n", "  \n", "\t")
    ),
    Case(
        "only a comment",
        "description-rendering",
        with_metadata("Description-Content-Type: text/x-rst", body=".. words\n"),
        "The description failed to render",
    ),
)
