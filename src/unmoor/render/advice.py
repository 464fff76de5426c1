"""The text for next steps. It is apart from `words` because every start of the command line imports it."""

from __future__ import annotations

from unmoor import advice
from unmoor.errors import UnmoorError
from unmoor.util.text import duration

AGAIN = str(advice.RUN_AGAIN())
RESUMES = "it continues from what is already there"
STARTS_AFRESH = "a rehearsal starts afresh"


def next_step(error: UnmoorError, *, again: str = "") -> str:
    """Return what to do about an error. Only this function advises to run the same command again.

    ``again`` says what happens then: `RESUMES` for a command that runs stages, `STARTS_AFRESH` for a rehearsal.

    >>> from unmoor.advice import NextStep
    >>> from unmoor.errors import Denied, TryLater, Unknown
    >>> next_step(Denied("no", next_step=NextStep("give a token")))
    'give a token'
    >>> next_step(Unknown("no answer"), again=RESUMES)
    'run the same command again: it continues from what is already there'
    >>> next_step(TryLater("busy", wait=90))
    'wait 2 min, then run the same command again'
    >>> next_step(Unknown("no answer", next_step=NextStep("see it runs"), otherwise=NextStep("restart it")))
    'see it runs, then run the same command again; if it fails again, restart it'
    """
    if not error.retryable:
        return str(error.next_step)
    before = ", ".join(
        filter(None, (error.next_step, advice.WAIT(duration=duration(error.wait)) if error.wait else ""))
    )
    repeat = f"{before}, then {AGAIN}" if before else AGAIN
    return "; if it fails again, ".join(filter(None, (f"{repeat}: {again}" if again else repeat, error.otherwise)))
