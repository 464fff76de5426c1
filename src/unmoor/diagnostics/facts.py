"""Facts of a machine, and how many are looked up within one time limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from unmoor.errors import Denied, Interrupted, Refused, ToolMissing, UnmoorError
from unmoor.util.concurrency import NoAnswer, call_within, run_parallel
from unmoor.util.text import clean

T = TypeVar("T")

_LONGEST = 400


class FactGroup(StrEnum):
    """The parts of the report, in its order."""

    VERSIONS = "versions"
    PROGRAMS = "programs"
    MACHINE = "machine"
    PROJECT = "project"
    CI = "ci"
    SURFACES = "surfaces"
    CREDENTIALS = "credentials"


class FactState(StrEnum):
    """``absent``: there is none, or a server does not answer. ``unknown``: it could not be determined."""

    KNOWN = "known"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a question found. ``value`` is a line of text that has not been made safe for a terminal yet."""

    value: str
    state: FactState = FactState.KNOWN


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report. ``value`` is printable."""

    group: FactGroup
    name: str
    state: FactState
    value: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One fact to look up. ``ask`` may raise anything: what is missing or refused is absent, all else is unknown."""

    group: FactGroup
    name: str
    ask: Callable[[], Answer]


def absent(why: str) -> Answer:
    """The answer that there is none."""
    return Answer(value=why, state=FactState.ABSENT)


def unknown(why: str) -> Answer:
    """The answer that it was not found out."""
    return Answer(value=f"unknown: {why}", state=FactState.UNKNOWN)


def question_of(group: FactGroup, name: str, text: Callable[[], str]) -> Question:
    """A question that is known if its text is."""
    return Question(group=group, name=name, ask=lambda: Answer(value=text()))


def look_up(questions: Sequence[Question], *, within: float, redact: Callable[[str], str] = str) -> tuple[Fact, ...]:
    """Ask all questions side by side, and return their facts in the order of the questions.

    One that has no answer ``within`` so many seconds is unknown. ``redact`` removes from values what nobody else should
    read. Raises `Interrupted` if the run is being stopped, and nothing else.
    """
    facts: dict[int, Fact] = {}

    def ask(item: tuple[int, Question]) -> None:
        number, question = item
        answer = _answer(question, within)
        value = clean(redact(answer.value), _LONGEST)
        facts[number] = Fact(group=question.group, name=question.name, state=answer.state, value=value)

    for error in run_parallel(enumerate(questions), ask, width=max(len(questions), 1)):
        raise error
    return tuple(facts[number] for number in sorted(facts))


def _answer(question: Question, within: float) -> Answer:
    found, why = attempt(question.ask, within=within)
    return found or why


def attempt(call: Callable[[], T], *, within: float) -> tuple[T | None, Answer]:
    """Return what a call returns, or else ``None`` and the answer that says why. Raises `Interrupted`."""
    try:
        return call_within(within, call), Answer(value="")
    except Interrupted:
        raise
    except NoAnswer:
        return None, unknown(f"no answer within {within:g} s")
    except (ToolMissing, Refused, Denied) as error:  # these are known: there is none that can be used
        return None, absent(f"none: {error.what}")
    except UnmoorError as error:
        where = f" ({error.where})" if error.where else ""
        return None, unknown(f"{error.what}{where}")
    except Exception as error:  # noqa: BLE001 - a report must not end at a fact; other errors may quote secrets
        return None, unknown(type(error).__name__)
