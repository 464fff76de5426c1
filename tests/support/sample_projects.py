"""Small projects with a build backend in their own tree, which needs nothing from an index."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.support.git_repos import Repo

from unmoor.products import Release

BACKEND = '''
"""Packs the src folder; if there is a file "watched", writes down what it was allowed to see."""
import base64, hashlib, io, json, os, tarfile, tomllib, zipfile

with open("pyproject.toml", "rb") as stream:
    PROJECT = tomllib.load(stream)["project"]
NAME = PROJECT["name"].replace("-", "_")
STEM = f"{NAME}-{PROJECT['version']}"


def info():
    lines = ["Metadata-Version: 2.1", f"Name: {PROJECT['name']}", f"Version: {PROJECT['version']}"]
    lines += [f"Requires-Dist: {each}" for each in PROJECT.get("dependencies", [])]
    lines += [f"Classifier: {each}" for each in PROJECT.get("classifiers", [])]
    lines += [f"Requires-Python: {PROJECT['requires-python']}"] if "requires-python" in PROJECT else []
    for extra, each in PROJECT.get("optional-dependencies", {}).items():
        lines += [f"Provides-Extra: {extra}", *(f"Requires-Dist: {one}; extra == '{extra}'" for one in each)]
    readme = {"content-type": "text/markdown", "text": "Small.", **PROJECT.get("readme", {})}
    return "\\n".join([*lines, f"Description-Content-Type: {readme['content-type']}", "", readme["text"]])


def seen():
    mask = os.umask(0)
    os.umask(mask)
    return json.dumps({"env": dict(os.environ), "umask": mask})


def build_sdist(folder, config_settings=None):
    print("building an sdist", flush=True)
    if os.path.exists("fail"):
        raise SystemExit("the backend does not want to")
    with tarfile.open(os.path.join(folder, STEM + ".tar.gz"), "w:gz") as archive:
        extra = {"PKG-INFO": info(), **({"seen.json": seen()} if os.path.exists("watched") else {})}
        for name, text in extra.items():
            member = tarfile.TarInfo(STEM + "/" + name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        for name in ("pyproject.toml", "own.py", "src"):
            archive.add(name, STEM + "/" + name, filter=lambda m: None if "__pycache__" in m.name else m)
    return STEM + ".tar.gz"


def build_wheel(folder, config_settings=None, metadata_directory=None):
    wheel = STEM + "-py3-none-any.whl"
    own = STEM + ".dist-info/"
    files = {own + "METADATA": info()}
    files[own + "WHEEL"] = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    points = {"console_scripts": PROJECT.get("scripts", {}), **PROJECT.get("entry-points", {})}
    files[own + "entry_points.txt"] = "".join(
        f"[{group}]\\n" + "".join(f"{k} = {v}\\n" for k, v in each.items()) for group, each in points.items()
    )
    for at, _, names in os.walk("src"):
        for name in sorted(names):
            if not name.endswith(".pyc"):
                with open(os.path.join(at, name)) as stream:
                    files[os.path.relpath(os.path.join(at, name), "src")] = stream.read()
    record = ""
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as archive:
        for name, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text.encode())}\\n"
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
        archive.writestr(zipfile.ZipInfo(own + "RECORD", (2020, 1, 1, 0, 0, 0)), record + own + "RECORD,,\\n")
    return wheel
'''

PYPROJECT = """\
[build-system]
requires = []
build-backend = "own"
backend-path = ["."]

[project]
name = "{name}"
version = "{version}"
"""


def files(name: str = "small-one", version: str = "1.0", *, more: str = "", **others: str | None) -> dict[str, str]:
    """Return the files of a project with one package.

    ``others`` adds files by path, with ``__`` for ``/`` in the name. A value of ``None`` adds nothing.
    """
    found = {
        "pyproject.toml": PYPROJECT.format(name=name, version=version) + more,
        "own.py": BACKEND,
        f"src/{name.replace('-', '_')}/__init__.py": "def main():\n    return 0\n",
    }
    return found | {key.replace("__", "/"): text for key, text in others.items() if text is not None}


def release_of(repo: Repo, *, project: str = "small-one", version: str = "1.0", tag: str | None = None) -> Release:
    """Return the release of a tag on HEAD. The tag is created if it does not exist."""
    tag = tag or f"v{version}"
    if tag not in repo.git("tag").split():
        repo.git("tag", tag)
    return Release(
        repository="acme/demo",
        project=project,
        tag=tag,
        version=version,
        commit=repo.git("rev-parse", "HEAD"),
        date=1_700_000_000,
        prerelease=False,
        highest=True,
    )


def write_files(folder: Path, content: dict[str, str]) -> Path:
    """Write files into a folder."""
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder


def write_wheel(path: Path, name: str, content: dict[str, str], version: str = "1.0", *, more: str = "") -> None:
    """Write a wheel without a build backend. ``more`` are further lines of its metadata."""
    info = f"{name}-{version}.dist-info"
    files = content | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{each},,\n" for each in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(each, text)
