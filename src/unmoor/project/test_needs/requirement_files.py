"""Requirements files, found by their usual names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from unmoor.project.files import Files
from unmoor.project.test_needs.requirement_lines import read_file
from unmoor.project.test_needs.source import Source, kind_of

# requirements-dev.txt, test_requirements.txt, requirements/test.in, tests/requirements.txt, and the like.
_PATH: Final = re.compile(
    r"(?:[\w.-]*requirements[\w.-]*|[\w.-]*\breqs\b[\w.-]*)\.(?:txt|in)|(?:[\w.-]+/)?requirements/[\w./-]+\.(?:txt|in)"
    r"|(?:tests?|testing|ci|dev|tools)/[\w.-]*requirements[\w.-]*\.(?:txt|in)"
)
_MOST: Final = 40


def read_requirement_files(files: Files) -> Iterator[Source]:
    """Each requirements file. Of a pair that pip-compile or uv keeps, only the compiled one, which users install."""
    found = [path for path in files.names if _PATH.fullmatch(path)]
    names = set(found)
    chosen = [path for path in found if not (path.endswith(".in") and f"{path[:-3]}.txt" in names)]
    for path in sorted(chosen, key=lambda each: (each.count("/"), each))[:_MOST]:
        yield read_file(files, path).source(path, kind_of(path.rpartition(".")[0]))
