"""Copy files to the folder of an artifact, with the names that upload-artifact gives them.

They are relative to the part of the path before the first wildcard; with several paths, to the folder that all share.
"""

import os
import shutil
import sys
from pathlib import Path


def files_of(path: str, *, hidden: bool) -> tuple[Path, list[Path]]:
    """Return the folder that names are relative to, and the files of a path or pattern."""
    absolute = Path(os.environ["GITHUB_WORKSPACE"]) / path
    before, star, _ = str(absolute).partition("*")
    fixed = Path(before[: before.rindex("/")]) if star else absolute
    found = fixed.glob(str(absolute.relative_to(fixed))) if star else [absolute]
    every = [each for one in found for each in (one.rglob("*") if one.is_dir() else [one]) if each.is_file()]
    seen = [each for each in every if hidden or not _is_hidden(fixed, each)]
    return fixed if fixed.is_dir() else fixed.parent, seen


def _is_hidden(top: Path, file: Path) -> bool:
    return any(part.startswith(".") for part in (top.name, *file.relative_to(top).parts))


paths = [line.strip() for line in os.environ["PATHS"].splitlines() if line.strip()]
read = [files_of(each, hidden=os.environ["HIDDEN"] == "true") for each in paths]
top = Path(os.path.commonpath([folder for folder, _ in read]))
artifact = Path(os.environ["ARTIFACTS"]) / os.environ["NAME"]
if not any(files for _, files in read):
    print(f"No files were found with the provided path: {os.environ['PATHS']}")  # noqa: T201
    sys.exit(os.environ["EMPTY"] == "error")
if artifact.exists():
    if os.environ["OVERWRITE"] != "true":
        sys.exit("an artifact with this name already exists on the workflow run")
    shutil.rmtree(artifact)
for each in {file for _, files in read for file in files}:
    copy = artifact / each.relative_to(top)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(each, copy)
