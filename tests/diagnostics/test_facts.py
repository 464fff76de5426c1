"""Facts: looked up side by side within one limit, and never an error."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from unmoor.diagnostics.facts import Answer, FactGroup, FactState, Question, look_up, question_of
from unmoor.errors import Denied, Interrupted, Refused, ToolMissing, Unknown


def _question(error: Exception) -> Question:
    def ask() -> Answer:
        raise error

    return Question(group=FactGroup.MACHINE, name="it", ask=ask)


@pytest.mark.parametrize(
    ("error", "state", "value"),
    [
        (ToolMissing("there is no program 'x'"), FactState.ABSENT, "none: there is no program 'x'"),
        (Refused("not a repository"), FactState.ABSENT, "none: not a repository"),
        (Denied("not yours"), FactState.ABSENT, "none: not yours"),
        (Unknown("no answer", where="http://a"), FactState.UNKNOWN, "unknown: no answer (http://a)"),
        (Unknown("no answer"), FactState.UNKNOWN, "unknown: no answer"),
        (ValueError("hunter2"), FactState.UNKNOWN, "unknown: ValueError"),
        (RecursionError("deep"), FactState.UNKNOWN, "unknown: RecursionError"),
    ],
    ids=lambda case: type(case).__name__ if isinstance(case, Exception) else None,
)
def test_an_error_is_a_fact(error: Exception, state: FactState, value: str) -> None:
    """What fails is absent or unknown, with a reason. The text of an unexpected error is not shown."""
    (fact,) = look_up([_question(error)], within=5)
    assert (fact.state, fact.value) == (state, value)


def test_facts_keep_their_order_and_share_their_time() -> None:
    """All questions are asked at the same time; one that hangs is unknown, and the others are not late for it."""
    release = threading.Event()
    slow = question_of(FactGroup.MACHINE, "slow", lambda: str(release.wait(30)))
    questions = [slow, *(question_of(FactGroup.MACHINE, str(n), partial(str, n)) for n in range(20)), slow]
    start = time.monotonic()
    facts = look_up(questions, within=0.3)
    release.set()
    assert time.monotonic() - start < 5
    assert [each.value for each in facts[1:-1]] == [str(n) for n in range(20)]
    assert {each.value for each in (facts[0], facts[-1])} == {"unknown: no answer within 0.3 s"}


def test_values_are_redacted_and_printable() -> None:
    """A value is one line without control characters, and passes through the redaction first."""
    asked = question_of(FactGroup.MACHINE, "it", lambda: "secret\x1b[31m red\nline")
    (fact,) = look_up([asked], within=5, redact=lambda text: text.replace("secret", "***"))
    assert fact.value == "*** red line"


def test_a_run_that_is_stopped_makes_no_report() -> None:
    """Ctrl-C is no fact."""
    with pytest.raises(Interrupted):
        look_up([_question(Interrupted("stopped"))], within=5)
