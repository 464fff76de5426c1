"""A service with the API of OSV, which knows one vulnerability; an index with one package; and what a wheel needs."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection
from typing import Any

from tests.support.faulty_server import Exchange

from unmoor.ports.scanner import Requirements

ADVISORY: dict[str, Any] = {
    "id": "GHSA-jjg7-2v4v-x38h",
    "aliases": ["CVE-2024-3651", "PYSEC-2024-60"],
    "summary": "it hangs",
    "details": "It hangs.",
    "published": "2024-04-11T00:00:00Z",
    "modified": "2024-04-11T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "idna"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.7"}]}],
        }
    ],
    "references": [{"type": "WEB", "url": "https://a.example/idna"}],
}


def answer_osv(exchange: Exchange, vulnerable: Collection[str], asked: list[dict[str, Any]]) -> None:
    """Answer as OSV does: these packages have the vulnerability, in every version. Adds each query to ``asked``."""
    body = exchange.read()
    if exchange.path == "/v1/querybatch":
        queries = json.loads(body)["queries"]
        asked += queries
        known = [{"vulns": [{"id": ADVISORY["id"], "modified": ADVISORY["modified"]}]}, {}]
        exchange.json({"results": [known[each["package"]["name"] not in vulnerable] for each in queries]})
    elif exchange.path == "/v1/query":
        query = json.loads(body)
        asked.append(query)
        exchange.json({"vulns": [ADVISORY]} if query["package"]["name"] in vulnerable else {})
    elif exchange.path == f"/v1/vulns/{ADVISORY['id']}":
        exchange.json(ADVISORY)
    else:
        exchange.answer(404)


VERSIONS = ("3.6", "3.7")


def answer_index(exchange: Exchange) -> bool:
    """Answer as a simple index that has idna, if the path is below ``/simple``. Returns whether it is."""
    if not exchange.path.startswith("/simple/"):
        return False
    names = {f"idna-{each}-py3-none-any.whl": each for each in VERSIONS}
    name = exchange.path.rpartition("/")[2]
    if exchange.path == "/simple/idna/":
        exchange.answer(200, "".join(f'<a href="{each}">{each}</a>' for each in names), kind="text/html")
    elif name in names:
        exchange.answer(200, _wheel(names[name]), kind="application/octet-stream")
    else:
        exchange.answer(404)
    return True


def only_index(exchange: Exchange) -> None:
    """Answer as that index, and nothing else."""
    if not answer_index(exchange):
        exchange.answer(404)


def _wheel(version: str) -> bytes:
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as archive:
            info = f"idna-{version}.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: idna\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return packed.getvalue()


def needs(*requires: str, python: str = "") -> Requirements:
    """Return what a wheel of demo 1.0 needs, with the extras that the requirements name."""
    extras = tuple(dict.fromkeys(re.findall(r"extra == '(\w+)'", " ".join(requires))))
    lines = ["Metadata-Version: 2.1", "Name: demo", "Version: 1.0"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    lines += [f"Provides-Extra: {each}" for each in extras]
    lines += [f"Requires-Python: {python}"] if python else []
    return Requirements(
        project="demo", version="1.0", metadata="\n".join([*lines, ""]).encode(), extras=extras, python=python
    )
