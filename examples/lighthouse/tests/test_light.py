"""The parser of characters."""

import pytest
from lighthouse.light import known, parse


@pytest.mark.parametrize(
    ("character", "period", "lit", "dark"),
    [
        ("F", 1.0, [0, 0.5], []),
        ("Fl 5s", 5.0, [0, 5.2], [0.5, 4.9]),
        ("Fl(2) 10s", 10.0, [0.1, 1.6], [1.0, 2.0, 9.9]),
        ("Iso 8s", 8.0, [0, 3.9], [4.0, 7.9]),
        ("Oc 12s", 12.0, [0, 8.9], [9.0, 11.9]),
    ],
)
def test_a_light_shines_when_its_character_says(
    character: str, period: float, lit: list[float], dark: list[float]
) -> None:
    """Each kind of light is on and off at its times, and repeats after its period."""
    light = parse(character)
    assert light.period == period
    assert [light.is_lit(second) for second in lit] == [True] * len(lit)
    assert [light.is_lit(second) for second in dark] == [False] * len(dark)


@pytest.mark.parametrize("character", ["", "Fl", "F 5s", "Fl(9) 3s", "Oc(2) 12s", "Q", "Fl 5s ", "Fl 1000s"])
def test_nonsense_is_refused(character: str) -> None:
    """Any other text is refused with a reason."""
    with pytest.raises(ValueError, match=r"\w"):
        parse(character)


@pytest.mark.parametrize("name", sorted(known()))
def test_every_known_light_can_be_read(name: str) -> None:
    """The data file is in the package, and each of its lines is a light."""
    assert parse(known()[name]).shines
