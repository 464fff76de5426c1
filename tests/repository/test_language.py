"""Replaced names and phrases do not come back into the code and the documentation.

To replace one, add a line: to `NAMES` the old and the new name, to `PHRASES` the old phrase and what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from tests.support.syntax import nodes

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "unmoor").rglob("*.py"))
STYLE = ROOT / "docs" / "contributing" / "style.md"
"""This page is exempt, because it shows what not to write."""
PAGES = sorted({*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"} - {STYLE})
OTHERS = sorted(
    [
        *(ROOT / "changelog.d").glob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(path for top in (".ci", "docker", "examples", "tools") for path in (ROOT / top).rglob("*.sh")),
        *(ROOT / ".github").rglob("*.yml"),
        ROOT / ".ci" / "run",
        ROOT / "Makefile",
    ]
)
"""Other files that people read: fragments, scripts and workflows."""

NAMES = {
    # core, ports, assembly
    "BrokenLaw": "InvalidPipeline",
    "Entry": "StageInfo",
    "Findable": "Resumable",
    "Have": "StageContext",
    "Left": "NotUndone",
    "Parked": "Deferred",
    "Powers": "Services",
    "Promise": "Output",
    "Seal": "Publish",
    "loosen": "undo_partly",
    "powers": "services",
    "runner": "middleware",
    "schedule": "scheduler",
    # errors
    "MissingPart": "ToolMissing",
    "Overdue": "TimedOut",
    "Unfit": "InvalidDist",
    "Unproven": "CheckFailed",
    # products
    "Checked": "CheckedDists",
    "Held": "VerifiedItem",
    "Page": "PublishedRelease",
    "PointTags": "TagImages",
    "Pointed": "MovedTags",
    "Pointer": "MovedTag",
    "Standing": "Certainty",
    # publish
    "Attached": "ForgeAsset",
    "Bundle": "ReleaseAssets",
    "Choice": "DraftSelection",
    "Kind": "DifferenceKind",
    "Posting": "ForgeRelease",
    "holdings": "index_state",
    "mendable": "repairable",
    "regaining": "restore",
    "standing": "latest",
    "still_names": "verify_tag_unmoved",
    "tagguard": "tag_recheck",
    "uploading": "upload",
    # images
    "Holders": "ImageSources",
    "Line": "ImagePlan",
    "Recorded": "BuildRecord",
    "Remark": "Finding",
    "Spot": "TagPlacement",
    "imagery": "image_names",
    "imagetags": "images.tags",
    "imaging": "image_selection",
    "rightful": "why_not_ours",
    "weigh": "context_size",
    # dists
    "Needing": "NeedsExtra",
    "Subjected": "DistUnderTest",
    "Wishes": "SuiteOptions",
    "Witness": "ImportRecorder",
    "distfiles": "inspect",
    "fitness": "dists.checks",
    "proving": "install_test",
    "telling": "source_tree",
    "wanting": "extras",
    "witness": "import_trace",
    # artifacts, project, config, cli
    "Given": "ConfigFile",
    "Surroundings": "ConfigSources",
    "Target": "ReleaseRequest",
    "Wanted": "ImageSelection",
    "conduct": "run_session",
    "handovers": "merge",
    "locating": "locate",
    "owing": "require_upstream",
    "says_so": "is_explicit",
    "talk": "output",
    "target": "release_request",
    "teaching": "help",
    # util, adapters, rehearsal
    "LifeLine": "ParentWatch",
    "Odd": "FramingError",
    "Walk": "ZipReader",
    "bare": "without_secrets",
    "desk": "requests",
    "framing": "zip_framing",
    "keeper": "reaper",
    "macaroons": "macaroon",
    "oldpython": "py311_compat",
    "side_by_side": "run_parallel",
    "suspicion": "secret_scan",
    "together": "concurrency",
}
"""Replaced names of modules, folders, classes and functions, each with its new name."""

PHRASES = {
    "is reached over ssh": "needs paramiko for ssh",
    "minted a token too long": "returned an oversized token",
    "what cannot be known is told": "warns about what it cannot check",
    "as in `builddists`": "the sentence itself",
    "promises must be kept": "outputs must be there",
    "what broke a promise": "what is missing",
    "do it. without this it is only said": "Apply the changes (the default is a dry run)",
    "left out here": "skipped",
    "stopped as asked": "stopped before X, as requested",
    "the rehearsal went through": "rehearsal passed",
    "aloud": "with a warning",
    "bears witness": "say what was imported",
    "broken by it": "if it is absent and no release manifest lists it",
    "could not be told": "could not check",
    "no port, no power": "a stage without a port cannot reach it",
    "where there are none": "if there are none",
    "without a word": "silently",
    "are told": "reports, warns",
    "bring about": "makes",
    "brings about": "makes",
    "anew": "again",
    "can be had": "is available",
    "cannot be had": "is not available",
    "comes to pass": "happens",
    "hold fast": "pin",
    "holds fast": "pins",
    "is tried with": "is tested with",
    "lies in": "is in",
    "on purpose": "by design, or nothing",
    "whence": "from where",
    "whoever may": "anyone who can",
    "has sent nothing anywhere": "nothing was uploaded or published",
    "if that stays": "if it fails again",
    "perhaps a part": "possibly in part",
    "cannot be told": "cannot check",
    "where it cannot be": "if it cannot be",
    "where nothing": "if nothing",
    "where there is no": "if there is no",
    "is told": "reports, warns",
    "of our own": "its own",
    "stands in": "is set in, is in",
    "to be had": "available",
}
"""Replaced phrases, each with what to write instead. Case does not matter."""


def _named(path: Path) -> Iterator[str]:
    """Yield the names of a source file: of the file, its folder, its classes and its functions."""
    yield from (path.stem, path.parent.name)
    for node in nodes(path):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def _code(page: Path) -> Iterator[str]:
    """Yield every word that a page writes as code."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
    inner = (each for token in tokens for each in (token, *(token.children or ())))
    for token in inner:
        if token.type in {"code_inline", "fence", "code_block"} and token.info in {"", "python"}:
            yield from re.findall(r"[A-Za-z_]\w*", token.content)


def _plain(path: Path) -> str:
    """Return the text of a file in lower case, with its lines and the parts of its string literals joined."""
    joined = re.sub(r'"\s*\n\s*[rf]*"', "", path.read_text("utf-8"))
    return re.sub(r"[\s#]+", " ", joined).lower()


def test_no_replaced_name_comes_back() -> None:
    """No module, folder, class or function has a replaced name."""
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {name}": NAMES[name]
        for path in SOURCES
        for name in _named(path)
        if name in NAMES
    }
    assert found == {}


def test_no_page_speaks_of_a_replaced_class() -> None:
    """No page names a replaced class. Other names may also be those of an option or an output."""
    found = {
        f"{page.relative_to(ROOT).as_posix()}: {name}": NAMES[name]
        for page in PAGES
        for name in _code(page)
        if name in NAMES and name[0].isupper()
    }
    assert found == {}


def test_no_replaced_phrase_comes_back() -> None:
    """No text has a replaced phrase; docs/contributing/style.md has the rules."""
    texts = {path: _plain(path) for path in (*SOURCES, *PAGES, *OTHERS)}
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {phrase}": instead
        for path, text in texts.items()
        for phrase, instead in PHRASES.items()
        if phrase in text
    }
    assert found == {}


def test_a_phrase_is_in_lower_case() -> None:
    """Texts are compared in lower case, so a phrase with a capital would never be found."""
    assert [phrase for phrase in PHRASES if phrase != phrase.lower()] == []
