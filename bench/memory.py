"""Measure the memory and the time of a whole release with a wheel of 1 GB, from the checks to `verify`.

    python -m bench.memory [MEGABYTES]

`--dists` takes the wheel, as if another machine had built it, and the indexes of the local world accept files of that
size. The memory is the peak of the resident memory of the process `unmoor release`, from `/proc`, without the programs
that it starts (uv, git). A second run, which finds everything done, is measured as well.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from bench.measuring import ROOT, environ, environment, local_world, table
from tests.support.local_release import small_repo

LIMIT = 120
"""MB that the process may use at most, whatever the size of the files."""
STEM = "small_one-1.0"


def enlarge(wheel: Path, megabytes: int) -> None:
    """Add a member of this size, which cannot be compressed, to a wheel and to its RECORD."""
    piece = random.Random(1).randbytes(1 << 20)  # noqa: S311 - not a secret
    digest = hashlib.sha256()
    record = f"{STEM}.dist-info/RECORD"
    with zipfile.ZipFile(wheel) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(wheel, "w") as archive:
        with archive.open(zipfile.ZipInfo("small_one/weights.bin"), "w", force_zip64=True) as stream:
            for _ in range(megabytes):
                stream.write(piece)
                digest.update(piece)
        encoded = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        kept[record] = f"small_one/weights.bin,sha256={encoded},{megabytes << 20}\n".encode() + kept[record]
        for name, data in kept.items():
            archive.writestr(zipfile.ZipInfo(name), data)


def enlarge_release(folder: Path, megabytes: int) -> Path:
    """Enlarge the wheel in a folder of built files, update its manifest without proofs, and return the manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for artifact in manifest["artifacts"]:
        file = folder / "dists" / artifact["name"]
        if file.suffix == ".whl":
            enlarge(file, megabytes)
            with file.open("rb") as stream:
                artifact["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
            artifact["size"] = file.stat().st_size
    path.write_text(json.dumps({**manifest, "proofs": []}))
    return path


def run_measured(command: list[str | Path], cwd: Path, env: dict[str, str]) -> tuple[float, int]:
    """Run a command. Return its duration in seconds and the peak of its own resident memory in MB."""
    start, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT)
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            high = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
            peak = max(peak, *(int(each) // 1024 for each in high), 0)
            time.sleep(0.02)
        if process.wait() != 0:
            out.seek(0)
            sys.exit(f"the release exited with code {process.returncode}:\n{out.read().decode()}")
    return time.perf_counter() - start, peak


def main() -> int:
    """Release and print a table. Return 1 if the limit is exceeded."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    scripts = environment("unmoor", str(ROOT))
    rows: list[tuple[str, str, str]] = []
    peaks: list[int] = []
    with tempfile.TemporaryDirectory(prefix="unmoor-bench-") as temporary:
        here = Path(temporary)
        repo = small_repo(here / "small")
        more = {"UNMOOR_MAX_FILE_SIZE": "4096", "UV_CACHE_DIR": str(here / "uv"), "TMPDIR": str(here / "tmp")}
        (here / "tmp").mkdir()
        env = environ(scripts, **more)
        with local_world(scripts, here / "world", repo.path, "--file-limit", str(4 << 30)) as world:
            release: list[str | Path] = [scripts / "unmoor", "release", "--world", world.file]
            built = run_measured([*release, "--dry-run", "v1.0"], repo.path, env)
            rows.append(("a build without the large file", f"{built[0]:.1f}", str(built[1])))
            over = here / "over"
            (repo.path / ".unmoor" / "v1.0").rename(over)
            manifest = enlarge_release(over, megabytes)
            whole = [*release, "--dists", over / "dists", "--manifest", manifest, "v1.0"]
            for what in (f"a release with a wheel of {megabytes} MB", "the same release again"):
                took, peak = run_measured(whole, repo.path, env)
                rows.append((what, f"{took:.1f}", str(peak)))
                peaks.append(peak)
    table(("", "seconds", "MB"), rows)
    print(f"limit: {LIMIT} MB")
    return int(max(peaks) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
