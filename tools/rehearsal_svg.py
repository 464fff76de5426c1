"""Draw a real rehearsal for the README: run one of the example, and write what it prints as an SVG.

The drawing follows the reader's choice of light or dark, loads nothing from elsewhere, and takes any monospaced font.
``docs/_static/rehearsal.svg`` is drawn again with ``python -m tools.rehearsal_svg``.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes

ROOT = Path(__file__).parent.parent
DRAWING = ROOT / "docs" / "_static" / "rehearsal.svg"
WIDTH = 104
COMMAND = "unmoor rehearse"
LABEL = "Each stage of a rehearsed release with its result and duration, ending in: rehearsal passed"
_BLACK, _WHITE = (13, 17, 23), (255, 255, 255)
# Background, foreground, and the eight colors of a terminal: each has a contrast of at least 4.5 with the background.
LIGHT = TerminalTheme(
    *(_WHITE, _BLACK),
    [_BLACK, (180, 30, 40), (26, 110, 50), (125, 85, 0), (9, 90, 200), (120, 70, 190), (15, 105, 115), _BLACK],
)
DARK = TerminalTheme(
    *(_BLACK, (230, 237, 243)),
    [_BLACK, (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207), _WHITE],
)
_CURSOR = re.compile(r"\x1b\[\?25[lh]")
# rich's variables are in braces. What it calls chrome, the frame of a window, is the rectangle here.
_FORMAT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
 role="img" aria-labelledby="{unique_id}-t">
<title id="{unique_id}-t">LABEL</title>
<style>
text {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
font-size: {char_height}px; white-space: pre }}
.{unique_id}-frame {{ fill: BACKGROUND; stroke: #8b949e; stroke-width: 1 }}
{styles}
DARK
</style>
<rect class="{unique_id}-frame" x="1" y="1" width="99.8%" height="99.5%" rx="8"/>
<g transform="translate({terminal_x}, 26)">
{matrix}
</g>
</svg>
"""


def main() -> None:
    """Write the drawing."""
    DRAWING.write_text(draw(rehearse()), encoding="utf-8", newline="\n")


def rehearse() -> str:
    """Rehearse a release of the example without images, and return what a terminal would show."""
    with tempfile.TemporaryDirectory() as place, Processes() as processes:
        folder = Path(place) / "lighthouse"
        shutil.copytree(
            ROOT / "examples" / "lighthouse", folder, ignore=shutil.ignore_patterns("Dockerfile", ".unmoor")
        )
        _without_images(folder / "pyproject.toml")
        shell = LocalShell(processes=processes)
        for line in ("init --quiet --initial-branch main", "add --all", "commit --quiet --message Begin"):
            shell.run(("git", *line.split()), cwd=folder, env=_environ())
        ran = shell.run((sys.executable, "-m", *COMMAND.split()), cwd=folder, env=_environ(), timeout=1200)
    if ran.code:
        raise SystemExit(ran.err)
    return ran.err


def shown(messages: str) -> list[str]:
    """Return the lines that are drawn: the command, and all messages up to the result. They have escapes for colors."""
    lines = [line.rstrip() for line in _CURSOR.sub("", messages).splitlines()]
    passed = next(n for n, line in enumerate(lines) if line.startswith("rehearsal passed"))
    return [f"$ {COMMAND}", *lines[: passed + 1]]


def draw(messages: str) -> str:
    """Return the drawing of what a rehearsal printed."""
    text = Text("\n").join(Text.from_ansi(line) for line in shown(messages))
    light, dark = _export(text, LIGHT), _export(text, DARK)
    styles = re.findall(r"^\.rehearsal-[\w-]+ .*$", dark, re.MULTILINE)
    query = "@media (prefers-color-scheme: dark) {\n" + "\n".join(styles) + "\n}"
    return light.replace("DARK", query).replace("LABEL", LABEL)


def _export(text: Text, theme: TerminalTheme) -> str:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(text, soft_wrap=False, no_wrap=True, overflow="ellipsis", crop=True)
    color = f"rgb({', '.join(map(str, theme.background_color))})"
    drawn = console.export_svg(theme=theme, code_format=_FORMAT.replace("BACKGROUND", color), unique_id="rehearsal")
    # The clips are those of rich's own format, and each line ends in a text with only a line end.
    drawn = re.sub(r' clip-path="[^"]*"', "", drawn)
    return re.sub(r"<text [^>]*>\n</text>", "\n", drawn)


def _without_images(pyproject: Path) -> None:
    """Remove the tables of images, so that the drawing can be made without a container engine."""
    text = re.sub(
        r"^\[\[tool\.unmoor\.image\]\]\n(?:(?!\[).*\n)*", "", pyproject.read_text("utf-8"), flags=re.MULTILINE
    )
    pyproject.write_text(text, encoding="utf-8", newline="\n")


def _environ() -> dict[str, str]:
    """The variables of a user without settings of git; rich shows the last state of what it would animate."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "UNMOOR_", "GIT_CONFIG"))
    }
    names = {"GIT_AUTHOR_NAME": "A Keeper", "GIT_COMMITTER_NAME": "A Keeper"}
    mails = {"GIT_AUTHOR_EMAIL": "keeper@example.org", "GIT_COMMITTER_EMAIL": "keeper@example.org"}
    shows = {"UNMOOR_PROGRESS": "live", "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(WIDTH)}
    return {**kept, **names, **mails, **shows, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


if __name__ == "__main__":
    main()
