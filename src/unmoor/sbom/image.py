"""The bill of materials of an image, as a program wrote it: checked, and the same bytes for the same image.

A program gives each document a random serial number and the time of day. Here the number names the image, the time is
that of the commit, and lists are sorted.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from unmoor.errors import Cause
from unmoor.ports.failure import failure
from unmoor.products import Image
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

SPEC_VERSION = "1.6"
MAX_SBOM = 4_000_000
"""The largest bill of materials of an image, in bytes: one that is longer does not fit into a signature."""


def write(text: str, image: Image, *, date: int, program: str) -> bytes:
    """Return what ``program`` printed about an image, in its final form, with a final newline.

    ``date`` is when it counts as made, in seconds since 1970. Raises `Unknown` for anything but a whole CycloneDX 1.6
    document that lists something, and for one that is too long.
    """
    try:
        document = _read(text)
        if not document["components"]:
            raise ValueError("it lists nothing")  # noqa: TRY301 - one message for all
        document["serialNumber"] = _serial(image)
        document["version"] = 1
        metadata = document["metadata"]
        metadata["timestamp"] = datetime.fromtimestamp(date, UTC).isoformat()
        metadata["component"] |= {"type": "container", "name": image.name, "version": image.id}
        document["components"].sort(key=_order)
        for each in document.get("dependencies", ()):
            each.get("dependsOn", []).sort()
        document.get("dependencies", []).sort(key=_order)
        data = f"{json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)}\n".encode()
        if len(data) > MAX_SBOM:
            raise ValueError(f"it has {len(data)} bytes, more than {MAX_SBOM}")  # noqa: TRY301
    except (ValueError, TypeError, AttributeError) as error:
        what = f"{program} gives no SBOM of {image.name} that can be used: {clean(str(error), 200)}"
        raise failure(Cause.NONSENSE, what) from error
    return data


def is_of(data: bytes, image: Image) -> bool:
    """Whether this is a bill of materials of an image that `write` returned."""
    try:
        document = _read(data)
        return (
            len(data) <= MAX_SBOM
            and bool(document["components"])
            and document.get("serialNumber") == _serial(image)
            and document["metadata"]["component"].get("version") == image.id
        )
    except (ValueError, TypeError):
        return False


def _serial(image: Image) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, image.id)}"


def _read(text: str | bytes) -> dict[str, Any]:
    """Read a document, as far as it is used here. Raises `ValueError` and `TypeError`."""
    document = decode_json(text, dict[str, Any])
    kind = (document.get("bomFormat"), document.get("specVersion"))
    if kind != ("CycloneDX", SPEC_VERSION):
        msg = f"it is {kind[0]} {kind[1]}, and not CycloneDX {SPEC_VERSION}"
        raise ValueError(msg)
    metadata, components = document.get("metadata"), document.setdefault("components", [])
    if not isinstance(metadata, dict) or not isinstance(metadata.get("component"), dict):
        msg = "it does not say what it is about"
        raise TypeError(msg)
    if not isinstance(components, list) or not all(map(_is_component, components)):
        msg = "what it lists is not a list of components"
        raise ValueError(msg)
    return document


def _is_component(each: object) -> bool:
    return isinstance(each, dict) and all(isinstance(each.get(key), str) and each[key] for key in ("type", "name"))


def _order(each: object) -> str:
    return json.dumps(each, sort_keys=True)
