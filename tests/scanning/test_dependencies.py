"""Wheels that need the same are asked about once, and a vulnerability with several ids is one finding."""

from __future__ import annotations

from pathlib import Path

from tests.support.sample_projects import write_wheel

from unmoor.artifacts.files import describe_file
from unmoor.ports.scanner import Audit, Vulnerability
from unmoor.products import File
from unmoor.scanning.dependencies import findings_of, requirements


def wheel(folder: Path, tag: str, needs: str) -> File:
    """Write a wheel for a platform, with these lines in its metadata."""
    path = folder / f"demo-1.0-{tag}.whl"
    write_wheel(path, "demo", {}, more=needs)
    return describe_file(path)


def test_wheels_that_need_the_same(tmp_path: Path) -> None:
    """Each set of requirements, extras and Pythons counts once, whatever the platform; an sdist says nothing."""
    one = "Requires-Dist: idna\nRequires-Dist: rich; extra == 'cli'\nProvides-Extra: cli\nRequires-Python: >=3.8\n"
    files = [
        wheel(tmp_path, "cp311-cp311-win_amd64", one),
        wheel(tmp_path, "cp312-cp312-win_amd64", one),
        wheel(tmp_path, "cp312-cp312-macosx_11_0_arm64", one.replace("idna", "idna>=3")),
        wheel(tmp_path, "cp313-cp313-win_amd64", one.replace("3.8", "3.9")),
        File(name="demo-1.0.tar.gz", sha256="", size=0, path=tmp_path / "absent"),
    ]
    found = requirements(files)
    assert [name for name, _ in found] == [files[0].name, files[2].name, files[3].name]
    needs = found[0][1]
    assert (needs.project, needs.version, needs.extras, needs.python) == ("demo", "1.0", ("cli",), ">=3.8")
    assert b"Requires-Dist: idna\n" in needs.metadata


def test_one_finding_for_several_ids() -> None:
    """Two reports are one if they share an id, in the same version of a package only."""

    def report(one: str, *aliases: str, version: str = "1") -> Vulnerability:
        return Vulnerability(id=one, aliases=aliases, package="idna", version=version, url="https://a.example")

    audit = Audit(
        scanner="s",
        packages=1,
        vulnerabilities=(
            report("PYSEC-1", "CVE-1"),
            report("GHSA-1", "CVE-1"),
            report("CVE-1"),
            report("CVE-1", version="2"),
            report("CVE-2"),
        ),
    )
    found = list(findings_of("demo.whl", audit))
    assert [(each.id, each.version) for each in found] == [("PYSEC-1", "1"), ("CVE-1", "2"), ("CVE-2", "1")]
    assert {(each.file, each.package, each.url) for each in found} == {("demo.whl", "idna", "https://a.example")}
