"""Bills of materials in a wheel (PEP 770) are read, named, and judged only as far as they can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.sample_wheels import sample_wheel

from unmoor.errors import InvalidDist
from unmoor.sbom.embedded import embedded_sboms


@pytest.mark.parametrize(
    ("name", "data", "kind", "fault"),
    [
        ("a.cdx.json", b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}', "CycloneDX 1.6", ""),
        ("a.spdx.json", b'{"spdxVersion": "SPDX-2.3"}', "SPDX-2.3", ""),
        ("a.spdx3.json", b'{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}', "SPDX 3", ""),
        ("deep/a.xml", b"<bom/>", "another format than JSON", ""),
        ("a.json", b"{", "not read", "it is not a JSON object: "),
        ("a.json", b"[1]", "not read", "it is not a JSON object: "),
        ("a.json", b'{"specVersion": 1, "bomFormat": "CycloneDX"}', "not known", "it is neither CycloneDX nor SPDX"),
        ("a.json", b"[" * 100_000, "not read", "it is not a JSON object: "),
        ("a.json", b"\xff\xfe", "not read", "it is not a JSON object: "),
    ],
)
def test_each_is_named(tmp_path: Path, name: str, data: bytes, kind: str, fault: str) -> None:
    """Its path, its format and what is wrong with it; what is broken fails nothing."""
    (found,) = embedded_sboms(sample_wheel(tmp_path, more={f"sboms/{name}": data}).path)
    assert (found.path, found.format) == (f"demo-1.0.dist-info/sboms/{name}", kind)
    assert found.fault.startswith(fault)
    assert bool(found.fault) is bool(fault)


def test_a_long_one_is_not_read(tmp_path: Path) -> None:
    """More than ten million bytes are not read, but named as a fault."""
    (found,) = embedded_sboms(sample_wheel(tmp_path, more={"sboms/a.json": b" " * 10_000_001}).path)
    assert found.fault == "it is longer than 10000000 bytes"


def test_other_files_and_other_archives(tmp_path: Path) -> None:
    """Other files of the folder are none, and a file that is no wheel is an error of the file."""
    assert embedded_sboms(sample_wheel(tmp_path, more={"licenses/LICENSE": b"", "sboms.json": b"{"}).path) == ()
    broken = tmp_path / "demo-2.0-py3-none-any.whl"
    broken.write_bytes(b"no archive")
    with pytest.raises(InvalidDist, match="not a readable wheel"):
        embedded_sboms(broken)
