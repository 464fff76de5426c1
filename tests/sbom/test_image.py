"""The bill of materials of an image: what counts as one, and that it is the same on every run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.syft import REPORT

from unmoor.errors import Unknown
from unmoor.products import Image
from unmoor.sbom import image as module
from unmoor.sbom.image import is_of, write
from unmoor.util.values import replace

IMAGE = Image(name="ghcr.io/acme/demo", target="", platform="linux/amd64", id=f"sha256:{'1' * 64}", size=1)


def written(report: object = REPORT, image: Image = IMAGE) -> bytes:
    """Write what a program printed."""
    return write(report if isinstance(report, str) else json.dumps(report), image, date=1_700_000_000, program="syft")


def test_the_same_image_is_the_same_bytes() -> None:
    """Neither the order, the time nor the serial number of the program stay; another image has another number."""
    shuffled = json.loads(json.dumps(REPORT))
    shuffled["components"].reverse()
    shuffled["dependencies"][0]["dependsOn"] = ["a", "os:debian@12", "b"]
    shuffled["serialNumber"] = "urn:uuid:00000000-0000-4000-8000-000000000000"
    shuffled["metadata"]["timestamp"] = "2030-01-01T00:00:00Z"
    assert written(shuffled) == written()
    document = json.loads(written())
    other = json.loads(written(image=replace(IMAGE, id=f"sha256:{'2' * 64}")))
    assert document["serialNumber"] != other["serialNumber"]
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    about = document["metadata"]["component"]
    assert (about["name"], about["version"], about["type"]) == (IMAGE.name, IMAGE.id, "container")
    assert document["metadata"]["tools"] == REPORT["metadata"]["tools"]
    assert sorted(each["name"] for each in document["components"]) == ["debian", "demo"]


def test_it_is_valid() -> None:
    """The validator of CycloneDX accepts it."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written().decode()) is None


WRONG: list[Any] = [
    "",
    "garbage",
    "[]",
    "{}",
    json.dumps(REPORT)[:-5],
    REPORT | {"bomFormat": "SPDX"},
    REPORT | {"specVersion": "1.5"},
    REPORT | {"components": []},
    {key: value for key, value in REPORT.items() if key != "components"},
    REPORT | {"components": ["demo"]},
    REPORT | {"components": [{"type": "library"}]},
    REPORT | {"metadata": None},
    REPORT | {"metadata": {"component": "demo"}},
    REPORT | {"dependencies": 1},
    REPORT | {"dependencies": ["demo"]},
]


@pytest.mark.parametrize("report", WRONG)
def test_what_is_none(report: object) -> None:
    """Anything but a whole document that lists something is unknown, never an image with nothing in it."""
    with pytest.raises(Unknown, match="syft gives no SBOM of"):
        written(report)


def test_one_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into a signature is not kept."""
    monkeypatch.setattr(module, "MAX_SBOM", 100)
    with pytest.raises(Unknown, match="more than 100"):
        written()


def test_which_image_it_is_of() -> None:
    """One of another image, a planted one or a broken one does not count."""
    data = written()
    assert is_of(data, IMAGE)
    assert not is_of(data, replace(IMAGE, id=f"sha256:{'2' * 64}"))
    for wrong in (b"", data[:-9], json.dumps(REPORT).encode(), b"{}"):
        assert not is_of(wrong, IMAGE)
