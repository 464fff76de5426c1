"""The command line."""

from importlib.metadata import entry_points, version

import pytest
from lighthouse.cli import main
from lighthouse.draw import bar, coloured
from lighthouse.light import parse


def test_a_light_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """A known light is drawn with its character and its name."""
    assert main(["--at", "Eddystone"]) == 0
    assert capsys.readouterr().out == "Fl(2) 10s  |█  █                |  Eddystone\n"


def test_a_long_period_stays_narrow() -> None:
    """The bar is never wider than 60 columns."""
    assert len(bar(parse("Iso 999s"))) == 60


def test_colour_comes_with_the_extra() -> None:
    """With the extra installed, a bar is yellow."""
    pytest.importorskip("rich")
    assert coloured("█") == "\x1b[33m█\x1b[0m"


@pytest.mark.parametrize("arguments", [[], ["F", "--at", "Pharos"], ["nonsense"]])
def test_a_mistake_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong argument ends with exit code 2 and an error on stderr."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error:" in capsys.readouterr().err


def test_the_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The script is declared and prints the version in the metadata."""
    assert [script.value for script in entry_points(name="lighthouse")] == ["lighthouse.cli:main"]
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.strip() == version("lighthouse-demo")
