"""A bill of materials is valid CycloneDX 1.6, says what is known and no more, and is the same bytes every time."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.support.resolvers import Answer, FakeResolver, package
from tests.support.sample_wheels import sample_wheel

from unmoor.errors import CheckFailed
from unmoor.ports.environments import running
from unmoor.ports.resolver import InstallTarget
from unmoor.products import File, Tool
from unmoor.sbom.document import write
from unmoor.sbom.wheel import Resolutions

DATE = 1_700_000_000
HERE = InstallTarget(python=running())
MAIN = "pkg:pypi/demo@1.0?file_name=demo-1.0-py3-none-any.whl"


def document(wheel: File, target: InstallTarget = HERE, **answers: Answer) -> bytes:
    """The bill of materials of a wheel; ``answers`` by extra, ``base`` for none."""
    resolver = FakeResolver({"" if extra == "base" else extra: each for extra, each in answers.items()})
    with ThreadPoolExecutor() as pool:
        content = Resolutions(resolver, pool).content(wheel, target)
    return write(content, date=DATE, tools=[Tool(name="unmoor", version="1.0")])


def read(data: bytes) -> dict[str, Any]:
    """Decode a document that the judge of the standard accepts."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator  # takes 3 s, so not while tests are collected

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode()) is None
    found: dict[str, Any] = json.loads(data)
    return found


def said(component: dict[str, Any], name: str) -> list[str]:
    """The values of a property."""
    return [each["value"] for each in component.get("properties", ()) if each["name"] == name]


def test_a_wheel_with_extras(tmp_path: Path) -> None:
    """What a wheel needs is required, what only an extra brings optional and named; edges come from metadata."""
    wheel = sample_wheel(
        tmp_path,
        "Summary: Shows it",
        "License-Expression: mit",
        "Provides-Extra: cli",
        "Provides-Extra: empty",
        "Requires-Dist: web[fast]>=1",
        'Requires-Dist: colours; extra == "cli"',
        'Requires-Dist: absent; sys_platform == "never"',
    )
    web = package(
        "web",
        "2.0",
        "License: BSD",
        "Requires-Dist: words",
        'Requires-Dist: quick; extra == "fast"',
        'Requires-Dist: slow; extra == "slow"',
    )
    base = (package("quick"), web, package("words"))
    cli = (*base[:2], package("colours", "3.0", "Requires-Dist: words<1"), package("words", "0.9"))
    found = read(document(wheel, base=base, cli=cli))

    main = found["metadata"]["component"]
    assert (main["name"], main["version"], main["purl"], main["bom-ref"]) == ("demo", "1.0", "pkg:pypi/demo@1.0", MAIN)
    assert main["hashes"] == [{"alg": "SHA-256", "content": wheel.sha256}]
    assert main["licenses"] == [{"expression": "MIT", "acknowledgement": "declared"}]
    assert main["description"] == "Shows it"
    parts = {each["bom-ref"]: each for each in found["components"]}
    assert {ref: (each["scope"], said(each, "unmoor:extra")) for ref, each in parts.items()} == {
        "pkg:pypi/colours@3.0": ("optional", ["cli"]),
        "pkg:pypi/quick@1.0": ("required", []),
        "pkg:pypi/web@2.0": ("required", []),
        "pkg:pypi/words@0.9": ("optional", ["cli"]),
        "pkg:pypi/words@1.0": ("required", []),
    }
    assert parts["pkg:pypi/web@2.0"]["hashes"] == [{"alg": "SHA-256", "content": web.sha256}]
    assert said(parts["pkg:pypi/web@2.0"], "unmoor:file") == ["web-2.0-py3-none-any.whl"]
    assert {each["ref"]: each.get("dependsOn", []) for each in found["dependencies"]} == {
        MAIN: ["pkg:pypi/colours@3.0", "pkg:pypi/web@2.0"],
        "pkg:pypi/colours@3.0": ["pkg:pypi/words@0.9"],
        "pkg:pypi/quick@1.0": [],
        "pkg:pypi/web@2.0": ["pkg:pypi/quick@1.0", "pkg:pypi/words@0.9", "pkg:pypi/words@1.0"],
        "pkg:pypi/words@0.9": [],
        "pkg:pypi/words@1.0": [],
    }
    (words,) = said(found["metadata"], "unmoor:resolved")
    assert words.startswith("As resolved at release: ")
    assert f"Python {'.'.join(running().version.split('.')[:2])} on linux" in words


def test_a_wheel_without_dependencies(tmp_path: Path) -> None:
    """It is described without a resolution, and says that it needs nothing."""
    found = read(document(sample_wheel(tmp_path)))
    assert found.get("components", []) == []
    assert [each["ref"] for each in found["dependencies"]] == [MAIN]
    (words,) = said(found["metadata"], "unmoor:resolved")
    assert words.startswith("This wheel needs no other package with Python ")


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    """A package without metadata has no licence and no edges, and an extra without a solution has a reason."""
    wheel = sample_wheel(
        tmp_path,
        "Provides-Extra: old",
        "Requires-Dist: dark",
        'Requires-Dist: gone<1; extra == "old"',
    )
    found = read(document(wheel, base=(package("dark", known=False),), old=CheckFailed("nothing fits:\nuv's words")))
    (dark,) = found["components"]
    assert "licenses" not in dark
    assert said(dark, "unmoor:dependencies") == ["not known: the index does not serve the metadata of this file"]
    assert said(found["metadata"], "unmoor:extra:old") == ["not resolved: nothing fits:"]


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    """Another folder, time and order of answers change nothing; another file or version changes the serial number."""
    lines = ("Requires-Dist: a", "Requires-Dist: b")
    parts = (package("a"), package("b", "2.0"))
    one = document(sample_wheel(tmp_path / "one", *lines), base=parts)
    assert document(sample_wheel(tmp_path / "other", *lines), base=parts[::-1]) == one
    newer = document(sample_wheel(tmp_path / "one", *lines), base=(parts[0], package("b", "3.0")))
    assert len({read(each)["serialNumber"] for each in (one, newer)}) == 2
    assert read(one)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


@pytest.mark.parametrize(
    ("lines", "licences"),
    [
        (("License-Expression: mit or apache-2.0",), ["MIT OR Apache-2.0"]),
        (("License-Expression: my own",), ["my own"]),
        (("License: BSD 3-Clause", "Classifier: License :: OSI Approved :: BSD License"), ["BSD 3-Clause"]),
        (("License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT License"), ["MIT License"]),
        (("License: Copyright (c) somebody\n        All rights",), []),
        (
            ("Classifier: License :: OSI Approved :: A", "Classifier: License :: B", "Classifier: Topic :: C"),
            ["A", "B"],
        ),
        ((), []),
    ],
)
def test_licences(tmp_path: Path, lines: tuple[str, ...], licences: list[str]) -> None:
    """A licence is an SPDX expression if it is one, else the words of the author, else the classifiers."""
    wheel = sample_wheel(tmp_path, "Requires-Dist: other")
    (other,) = read(document(wheel, base=(package("other", "1.0", *lines),)))["components"]
    found = other.get("licenses", [])
    assert [each.pop("acknowledgement", each.get("license", {}).get("acknowledgement")) for each in found] == [
        "declared" for _ in licences
    ]
    assert [each.get("expression") or each["license"]["name"] for each in found] == licences


def test_embedded_documents_are_named(tmp_path: Path) -> None:
    """Those in the wheel (PEP 770) are external references with path, format and sha256; a broken one is not."""
    sbom = b'{"bomFormat": "CycloneDX", "specVersion": "1.4"}'
    wheel = sample_wheel(tmp_path, more={"sboms/auditwheel.cdx.json": sbom, "sboms/broken.json": b"{"})
    (reference,) = read(document(wheel))["metadata"]["component"]["externalReferences"]
    assert (reference["type"], reference["url"]) == ("bom", "demo-1.0.dist-info/sboms/auditwheel.cdx.json")
    assert reference["comment"] == "in the wheel (PEP 770), CycloneDX 1.4"


def test_a_large_document(tmp_path: Path) -> None:
    """Three hundred packages, each of which needs the next one, are described in seconds."""
    names = [f"part-{number:03}" for number in range(300)]
    parts = tuple(
        package(name, "1.0", *([f"Requires-Dist: {after}"] if after else []))
        for name, after in zip(names, [*names[1:], ""], strict=True)
    )
    found = read(document(sample_wheel(tmp_path, f"Requires-Dist: {names[0]}"), base=parts))
    assert len(found["components"]) == 300
    assert sum(len(each.get("dependsOn", ())) for each in found["dependencies"]) == 300
