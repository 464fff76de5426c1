"""An index of small pure-Python packages whose files have upload times, and a project that locks some of them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from tests.support.faulty_server import Exchange, run_server

OLD = "2026-01-01T00:00:00Z"
NEW = "2999-01-01T00:00:00Z"
"""Later than any cool-down."""
_JSON = "application/vnd.pypi.simple.v1+json"


class Released(msgspec.Struct, frozen=True):
    """One version of a package: what it requires, the code of its module, and when it was uploaded, if known."""

    version: str
    requires: Sequence[str] = ()
    code: str = ""
    uploaded: str = OLD


def wheel_of(name: str, released: Released) -> bytes:
    """The wheel of a version, with one module that has the name of the package."""
    info = f"{name}-{released.version}.dist-info"
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {released.version}"]
    head += [f"Requires-Dist: {each}" for each in released.requires]
    files = {
        f"{name}.py": f"VERSION = {released.version!r}\n{released.code}\n",
        f"{info}/METADATA": "\n".join([*head, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as archive:
            for path, text in {**files, f"{info}/RECORD": record}.items():
                archive.writestr(zipfile.ZipInfo(path), text)
        return packed.getvalue()


@contextlib.contextmanager
def dated_index(packages: Mapping[str, Sequence[Released]]) -> Iterator[str]:
    """Run the index. Gives the address of its simple pages. A package that is added to the mapping is served, too."""

    def answer(exchange: Exchange) -> None:
        kind, _, rest = exchange.path.strip("/").partition("/")
        if kind == "simple" and rest in packages:
            files = []
            for each in packages[rest]:
                data = wheel_of(rest, each)
                file = f"{rest}-{each.version}-py3-none-any.whl"
                files.append(
                    {
                        "filename": file,
                        "url": f"/files/{rest}/{file}",
                        "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                        "size": len(data),
                        **({"upload-time": each.uploaded} if each.uploaded else {}),
                    }
                )
            exchange.json({"meta": {"api-version": "1.1"}, "name": rest, "files": files}, kind=_JSON)
            return
        name, _, file = rest.partition("/")
        for each in packages.get(name, ()):
            if kind == "files" and file == f"{name}-{each.version}-py3-none-any.whl":
                exchange.answer(200, wheel_of(name, each), kind="application/octet-stream")
                return
        exchange.answer(404)

    with run_server(answer) as server:
        yield f"{server.url}/simple"
