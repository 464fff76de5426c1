"""What an emergency may waive, and what it never may."""

from __future__ import annotations

import pytest

from unmoor.core.waivers import INTEGRITY, MOST, Gate, GateVerdict, read_gate, read_reason, waived_result
from unmoor.errors import UnmoorError, error_classes

FAILED = {"BuildFailed", "CheckFailed", "TimedOut", "Unsafe"}
NOT_RUN = {"ToolMissing", "Unknown", "TryLater", "Incomplete"}


@pytest.mark.parametrize("name", [*Gate, " Tests ", "RUN-CHECK"])
def test_gates_of_quality(name: str) -> None:
    """Every gate is read by its name, whatever its case."""
    assert read_gate(name) is Gate(name.strip().lower())


@pytest.mark.parametrize("name", [*INTEGRITY, "everything", "", "test", "tests,smoke", "\x1b[31m"])
def test_no_other_gate(name: str) -> None:
    """A gate of integrity is refused with the reason, and every refusal lists the gates that can be waived."""
    with pytest.raises(ValueError, match=", ".join(Gate)) as caught:
        read_gate(name)
    assert ("can never be waived, since" in str(caught.value)) is (name in INTEGRITY)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the runners are down", "the runners are down"),
        ("two\nlines\r\n", "two lines"),
        ("\x1b[31mred\x1b[0m \x00 text", "red text"),
        ("**bold** <b> @you `x`", "**bold** <b> @you `x`"),
        ("::error::x", "::error::x"),
        ("x" * MOST, "x" * MOST),
        ("", None),
        ("  \n", None),
        ("-", None),
        ("\u200b\u200b\u200b", None),
        ("x" * 5_000, None),
        (f"the token is ghp_{'a' * 36}", None),
    ],
    ids=range(12),
)
def test_reasons(text: str, reason: str | None) -> None:
    """A reason is one line of plain text that says something, and holds no secret."""
    if reason is None:
        with pytest.raises(ValueError, match="reason"):
            read_reason(text)
    else:
        assert read_reason(text) == reason


@pytest.mark.parametrize("kind", error_classes()[1:], ids=lambda kind: kind.__name__)
def test_what_a_waiver_covers(kind: type[UnmoorError]) -> None:
    """Failed tests and tests that could not run are waived; other bytes, refusals, interruptions and bugs are not."""
    error = kind("two of three failed\n  the rest")
    if kind.__name__ in FAILED | NOT_RUN:
        verdict = GateVerdict.FAILED if kind.__name__ in FAILED else GateVerdict.NOT_RUN
        result = waived_result(Gate.TESTS, error)
        assert (result.verdict, result.detail) == (verdict, "two of three failed")
    else:
        with pytest.raises(kind):
            waived_result(Gate.TESTS, error)


def test_a_secret_in_a_message_is_not_recorded() -> None:
    """The detail of a result becomes public."""
    (kind,) = (each for each in error_classes() if each.__name__ == "CheckFailed")
    assert "ghp_" not in waived_result(Gate.TESTS, kind(f"push with ghp_{'a' * 36} failed")).detail
