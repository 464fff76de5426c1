"""Draws a light on a terminal."""

from __future__ import annotations

from lighthouse.light import Light

_WIDEST = 60


def bar(light: Light) -> str:
    """Draw one period: one column for half a second, at most 60 columns."""
    columns = min(round(light.period * 2), _WIDEST)
    step = light.period / columns
    return "".join("█" if light.is_lit(column * step) else " " for column in range(columns))


def coloured(text: str) -> str:
    """Return a bar in yellow if the extra ``colour`` is installed, or else unchanged."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ModuleNotFoundError:
        return text
    console = Console(force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(Text(text, style="yellow"), end="")
    return capture.get()
