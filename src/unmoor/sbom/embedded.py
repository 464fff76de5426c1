"""The bills of materials that a wheel brings along (PEP 770): read and named, never written.

A build backend or a tool that adds libraries to a wheel puts them into ``.dist-info/sboms``. To add one later would
change bytes that were tested.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from unmoor.dists.inspect import MEMBER_LIMIT, open_dist_info
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_FOLDER = "sboms/"
_MOST = 100


class EmbeddedSbom(msgspec.Struct, frozen=True, kw_only=True):
    """One of them: its path in the wheel, its sha256, its format in words, and what is wrong with it, empty if nothing.

    A format that is not JSON is named and not judged.
    """

    path: str
    sha256: str
    format: str
    fault: str = ""


def embedded_sboms(wheel: Path) -> tuple[EmbeddedSbom, ...]:
    """Read those of a wheel, sorted by path. Raises `InvalidDist` if the wheel cannot be read."""
    found: list[EmbeddedSbom] = []
    with open_dist_info(wheel) as (archive, members):
        for name, member in sorted(members.items()):
            if not name.startswith(_FOLDER) or member.is_dir() or len(found) == _MOST:
                continue
            if member.file_size > MEMBER_LIMIT:
                fault = f"it is longer than {MEMBER_LIMIT} bytes"
                found.append(EmbeddedSbom(path=member.filename, sha256="", format="not read", fault=fault))
                continue
            with archive.open(member) as stream:
                data = stream.read(MEMBER_LIMIT)
            kind, fault = _judge(name, data)
            found.append(EmbeddedSbom(path=member.filename, sha256=sha256(data).hexdigest(), format=kind, fault=fault))
    return tuple(found)


def _judge(name: str, data: bytes) -> tuple[str, str]:
    """The format of a bill of materials in words, and what is wrong with it."""
    if not name.endswith(".json"):
        return "another format than JSON", ""
    try:
        document = decode_json(data, dict[str, Any])
    except ValueError as error:
        return "not read", f"it is not a JSON object: {clean(str(error), 100)}"
    if document.get("bomFormat") == "CycloneDX" and isinstance(document.get("specVersion"), str):
        return f"CycloneDX {clean(document['specVersion'], 20)}", ""
    if isinstance(version := document.get("spdxVersion"), str):
        return clean(version, 20), ""
    if "spdx.org" in str(document.get("@context", "")):
        return "SPDX 3", ""
    return "not known", "it is neither CycloneDX nor SPDX"
