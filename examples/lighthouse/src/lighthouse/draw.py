"""How a light looks on a terminal."""

from __future__ import annotations

from lighthouse.light import Light

_WIDEST = 60


def bar(light: Light) -> str:
    """Draw one period, half a second a column, at most 60 columns wide."""
    columns = min(round(light.period * 2), _WIDEST)
    step = light.period / columns
    return "".join("█" if light.is_lit(column * step) else " " for column in range(columns))


def coloured(text: str) -> str:
    """Paint a bar yellow where the extra ``colour`` is installed, else return it as it is."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ModuleNotFoundError:
        return text
    console = Console(force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(Text(text, style="yellow"), end="")
    return capture.get()
