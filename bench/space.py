"""Deploying 20 small files to a Space, against ``hf upload`` of the folder and of each file: ``python bench/space.py``.

A hub on this machine takes 50 ms for each answer. All three ways are processes of their own, interleaved in each round,
and the fastest round of each counts. The targets are 1.5 times one ``hf upload FOLDER``, and 0.15 times 20 single ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.git_repos import Repo
from tests.support.local_hub import TOKENS, LocalHub, run_hub

ANSWER = 0.05
FILES = 20
ROUNDS, SINGLE_ROUNDS = 6, 2
BIN = Path(sys.executable).parent
README = "---\nsdk: gradio\n---\n# Demo\n"
WORLD = """
name = "bench"
rehearsal = true
[index]
upload = "http://127.0.0.1:9/legacy/"
simple = "http://127.0.0.1:9/simple/"
[forge]
api = "http://127.0.0.1:9/api/v3"
repository = "acme/demo"
token = "none"
[git]
remote = "{remote}"
[space]
address = "{address}"
token = "{token}"
"""


def project(folder: Path, number: int) -> Repo:
    """A project with a Space of 20 files, which differ for each number."""
    files = {"README.md": README, "app.py": f"print({number})\n"}
    files |= {f"assets/{each}.txt": f"{number} {each}\n" for each in range(FILES - 2)}
    settings = '[tool.unmoor.space]\nrepo = "{repo}"\nfiles = ["**"]\ncritical = ["app.py"]\n'
    named = settings.format(repo=f"acme/unmoor{number}").replace('"**"', '"README.md", "app.py", "assets/*"')
    pyproject = f'[project]\nname = "demo"\nversion = "1.0"\n\n{named}'
    return Repo.new(folder, {**files, "pyproject.toml": pyproject})


def timed(commands: Sequence[Sequence[str]], environ: dict[str, str], folder: Path) -> float:
    """Run commands one after the other, and return the seconds that they take."""
    begun = time.perf_counter()
    for command in commands:
        ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{ran.stdout}\n{ran.stderr}")
    return time.perf_counter() - begun


def measure(hub: LocalHub, folder: Path) -> dict[str, float]:
    """The seconds of each way, the fastest of some rounds."""
    environ = {**os.environ, "HF_ENDPOINT": hub.address, "HF_TOKEN": TOKENS.write, "HF_HUB_DISABLE_XET": "1"}
    environ |= {
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "XDG_STATE_HOME": str(folder / "state"),
    }
    best: dict[str, float] = {}
    for number in range(ROUNDS):
        repo = project(folder / f"p{number}", number)
        world = folder / f"world{number}.toml"
        world.write_text(
            WORLD.format(remote=repo.path, address=hub.address, token=TOKENS.write), encoding="utf-8", newline="\n"
        )
        world.chmod(0o600)
        paths = ["README.md", "app.py", *(f"assets/{each}.txt" for each in range(FILES - 2))]
        upload = folder / f"u{number}"
        shutil.copytree(repo.path, upload, ignore=shutil.ignore_patterns(".git", "pyproject.toml"))
        hf = [str(BIN / "hf"), "upload", "--repo-type", "space"]
        ways: dict[str, list[list[str]]] = {
            "unmoor sync space": [[str(BIN / "unmoor"), "sync", "space", "--world", str(world)]],
            "hf upload FOLDER": [[*hf, f"acme/folder{number}", str(upload), "."]],
        }
        if number < SINGLE_ROUNDS:  # half a minute each
            ways["20 x hf upload FILE"] = [[*hf, f"acme/files{number}", str(upload / path), path] for path in paths]
        for name, commands in ways.items():
            seconds = timed(commands, environ, repo.path)
            best[name] = min(best.get(name, seconds), seconds)
    return best


def main() -> None:
    """Print the seconds and the ratios."""
    with TemporaryDirectory() as name, run_hub(Path(name) / "hub", seconds=ANSWER) as hub:
        # A hub that names the commit at once: waiting for a build is not what is measured.
        (Path(name) / "hub" / "at-once").touch()
        best = measure(hub, Path(name))
    for way, seconds in best.items():
        print(f"{way:22} {seconds:6.2f} s")
    ours, folder, single = best.values()
    print(
        f"against one folder: {ours / folder:.2f} (target 1.5); against single files: {ours / single:.3f} (target 0.15)"
    )


if __name__ == "__main__":
    main()
