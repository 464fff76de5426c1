"""How much memory a whole release takes whose wheel is 1 GB, and how long: check, prove, draft, both indexes, verify.

    python -m bench.memory [MEGABYTES]

The wheel is handed over by `--dists`, as one that another machine built, and goes into a local world whose indexes take
files of that size. Counted is the peak of the resident memory of the process `unmoor release`, from `/proc`; the
programs that it starts (uv, git) are not its own. A second run, which finds everything there, is counted as well.
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
"""MB that the process may take at most, whatever the files' size."""
STEM = "small_one-1.0"


def larger(wheel: Path, megabytes: int) -> None:
    """Put so many MB that cannot be compressed into a wheel, and into its RECORD."""
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


def handed_over(folder: Path, megabytes: int) -> Path:
    """Make the wheel in a folder of built files large, and write its manifest anew, without proofs. Returns that."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for artifact in manifest["artifacts"]:
        file = folder / "dists" / artifact["name"]
        if file.suffix == ".whl":
            larger(file, megabytes)
            with file.open("rb") as stream:
                artifact["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
            artifact["size"] = file.stat().st_size
    path.write_text(json.dumps({**manifest, "proofs": []}))
    return path


def watched(command: list[str | Path], cwd: Path, env: dict[str, str]) -> tuple[float, int]:
    """Run to the end; return the seconds, and the peak of the process's own resident memory in MB."""
    begun, peak = time.perf_counter(), 0
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
            sys.exit(f"the release ended with {process.returncode}:\n{out.read().decode()}")
    return time.perf_counter() - begun, peak


def main() -> int:
    """Release, print a table; 1 where the limit is passed."""
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
            built = watched([*release, "--dry-run", "v1.0"], repo.path, env)
            rows.append(("its build, without the large file", f"{built[0]:.1f}", str(built[1])))
            over = here / "over"
            (repo.path / ".unmoor" / "v1.0").rename(over)
            manifest = handed_over(over, megabytes)
            whole = [*release, "--dists", over / "dists", "--manifest", manifest, "v1.0"]
            for what in (f"a release with a wheel of {megabytes} MB", "the same again"):
                took, peak = watched(whole, repo.path, env)
                rows.append((what, f"{took:.1f}", str(peak)))
                peaks.append(peak)
    table(("", "seconds", "MB"), rows)
    print(f"at most {LIMIT} MB")
    return int(max(peaks) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
