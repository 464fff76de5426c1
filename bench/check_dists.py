"""Compare the time of `check-dists` and `twine check` for 200 wheels of 1 MB, and measure memory for a wheel of 1 GB.

    python -m bench.check_dists [TRIES]

Both run in turns as processes of the same environment with compiled bytecode: once without counting, then TRIES times
(default 5). `check-dists` unpacks and hashes every member. `twine check` hashes each wheel and renders its description,
except for Markdown. A third of each wheel is text, and the rest compresses as badly as compiled code. Times are
medians, in seconds.
"""

from __future__ import annotations

import base64
import hashlib
import io
import random
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import ROOT, environ, environment, run, seconds, table

from unmoor.filesystem.files import sha256_of

WHEELS, LIMIT = 200, 1.5
MEMORY_LIMIT = 120
"""MB that a process may use at most, whatever the size of the files."""

# The sha256 of each file is given, because the stage that builds the files records it.
OURS = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.products import Dists, File, Release
from unmoor.core.stage import Output, StageContext
from unmoor.stages.check_dists import CheckDists
release = Release(repository="a/lighthouse", project="lighthouse", tag="v1.0", version="1.0", commit="0" * 40, date=0,
                  prerelease=False, highest=True)
lines = [line.split("  ") for line in Path(sys.argv[1]).read_text().splitlines()]
paths = [(Path(name), sha256) for sha256, name in lines]
dists = Dists(files=tuple(File(name=p.name, sha256=s, size=p.stat().st_size, path=p) for p, s in paths))
with Processes() as processes:
    stage = CheckDists(name="check-dists", release=Output("tag"), dists=Output("dists"), folder=RunFolder(Path("none")),
                       git=SimpleNamespace(files=lambda commit: ()), shell=LocalShell(processes=processes),
                       max_file_size=4 << 30)
    assert len(stage.make(StageContext({"tag": release, "dists": dists})).subjects) == len(paths)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""

METADATA = """\
Metadata-Version: 2.1
Name: lighthouse
Version: 1.0
Summary: A bench
Description-Content-Type: {}

"""
KINDS = ("text/markdown", "text/x-rst")


def metadata(kind: str) -> str:
    """Return METADATA with a description of usual length, which is valid Markdown and reStructuredText."""
    parts = (f"Part {n}\n--------\n\n{'Some *words* about ``code``. ' * 8}\n\n* one\n* two\n" for n in range(20))
    return METADATA.format(kind) + "Lighthouse\n==========\n\n" + "\n".join(parts)


def members(number: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one wheel, 1 MB compressed. They differ for each wheel, but not between machines."""
    chance = random.Random(number)  # noqa: S311 - not a secret
    words = [chance.randbytes(4).hex() for _ in range(2000)]
    for each in range(40):
        text = " ".join(chance.choices(words, k=2500))
        yield f"lighthouse/module_{each}.py", f'"""{text}"""\n'.encode()
    yield "lighthouse/_native.so", chance.randbytes(620_000)


def wheel(folder: Path, tag: str, kind: str, content: Iterator[tuple[str, bytes]]) -> Path:
    """Write one wheel."""
    path, info = folder / f"lighthouse-1.0-{tag}.whl", "lighthouse-1.0.dist-info"
    files = [
        *content,
        (f"{info}/METADATA", metadata(kind).encode()),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()),
    ]
    record = io.StringIO()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            record.write(f"{name},sha256={encoded(hashlib.sha256(data).digest())},{len(data)}\n")
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), f"{record.getvalue()}{info}/RECORD,,\n")
    return path


def encoded(digest: bytes) -> str:
    """Return a digest in the encoding of RECORD."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def large(folder: Path) -> Path:
    """Write a wheel of 1 GB with one large uncompressed member."""
    piece, digest = random.Random(0).randbytes(1 << 20), hashlib.sha256()  # noqa: S311 - not a secret
    path, info = folder / "lighthouse-1.0-py3-none-any.whl", "lighthouse-1.0.dist-info"
    small = {"METADATA": metadata(KINDS[0]), "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n"}
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(zipfile.ZipInfo("lighthouse/weights.bin"), "w", force_zip64=True) as stream:
            for _ in range(1 << 10):
                stream.write(piece)
                digest.update(piece)
        record = f"lighthouse/weights.bin,sha256={encoded(digest.digest())},{1 << 30}\n{info}/RECORD,,\n"
        for name, text in small.items():
            own = encoded(hashlib.sha256(text.encode()).digest())
            record += f"{info}/{name},sha256={own},{len(text.encode())}\n"
            archive.writestr(zipfile.ZipInfo(f"{info}/{name}"), text)
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), record)
    return path


def write_sums(folder: Path, files: list[Path]) -> Path:
    """Write the sha256 of each file to a list."""
    path = folder / "sums"
    path.write_text("".join(f"{sha256_of(file)}  {file}\n" for file in files))
    return path


def compare(scripts: Path, kind: str, tries: int) -> tuple[list[tuple[str, ...]], float, int]:
    """Measure both tools on wheels with one kind of description. Return rows, the ratio, and unmoor's memory in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tags = [f"cp3{n // 20 + 9}-abi3-manylinux_2_{n % 20 + 17}_x86_64" for n in range(WHEELS)]
        made = [wheel(folder, tag, kind, members(number)) for number, tag in enumerate(tags)]
        size = statistics.mean(path.stat().st_size for path in made) / 1_000_000
        ours: list[str | Path] = [scripts / "python", "-c", OURS, write_sums(folder, made)]
        commands: dict[str, list[str | Path]] = {
            "twine check": [scripts / "twine", "check", *made],
            "check-dists": ours,
        }
        taken: dict[str, list[float]] = {each: [] for each in commands}
        for attempt in range(tries + 1):
            for each, command in commands.items():
                one = seconds(command, cwd=folder, env=environ(scripts))
                taken[each] += [one] if attempt else []
        memory = int(run(ours, cwd=folder, env=environ(scripts)))
    theirs, own = (statistics.median(taken[each]) for each in commands)
    what = f"{WHEELS} wheels of {size:.2f} MB, {kind}"
    return [(what, f"{theirs:.2f}", f"{own:.2f}", f"{own / theirs:.2f}", str(memory))], own / theirs, memory


def main(tries: int = 5) -> None:
    """Measure and print a table. Exit with an error if a limit is exceeded."""
    scripts = environment("unmoor", str(ROOT))
    results = [compare(scripts, kind, tries) for kind in KINDS]
    with tempfile.TemporaryDirectory() as name:
        sums = write_sums(Path(name), [large(Path(name))])
        most = int(run([scripts / "python", "-c", OURS, sums], cwd=Path(name), env=environ(scripts)))
    rows = [row for some, _, _ in results for row in some]
    rows.append(("one wheel of 1 GB", "", "", "", str(most)))
    table(("", "twine check", "check-dists", "ratio", "MB"), rows)
    if max(ratio for _, ratio, _ in results) > LIMIT or max(most, *(memory for _, _, memory in results)) > MEMORY_LIMIT:
        sys.exit(f"over the limits: {LIMIT} times the seconds of twine, and {MEMORY_LIMIT} MB")


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
