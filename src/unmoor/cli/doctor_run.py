"""Run ``unmoor doctor``: ask every question at the same time, and print the facts."""

from __future__ import annotations

import os
from functools import partial

import click
import msgspec

from unmoor.adapters.process.supervisor import Processes
from unmoor.cli.doctor_questions import Doctor
from unmoor.cli.run_options import TargetOptions
from unmoor.cli.session import echo_json
from unmoor.diagnostics.facts import Answer, Fact, FactGroup, FactState, Question, attempt, look_up
from unmoor.diagnostics.privacy import redaction
from unmoor.diagnostics.report import block
from unmoor.errors import Unknown

WITHIN = 5.0
"""Seconds for each fact."""


class DoctorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``doctor --json``. ``world`` is empty if none could be read."""

    world: str
    rehearsal: bool
    facts: tuple[Fact, ...]


def run(target: TargetOptions, *, strict: bool, as_json: bool) -> int:
    """Look up all facts, print them on stdout, and return the exit code."""
    with Processes() as processes, processes.guarded():
        doctor = Doctor(target=target, processes=processes, within=WITHIN)
        project, no_project = attempt(doctor.find_project, within=WITHIN)
        world, no_world = attempt(partial(doctor.find_world, project), within=WITHIN)
        logins = world.logins if world is not None else ()
        redact = redaction(
            os.environ,
            secrets=[each.secret for each in logins],
            users=[each.username for each in logins],
            repository=world.forge.repository if world is not None else "",
        )
        questions = [
            *doctor.of_machine(),
            *(doctor.of_project(project) if project else [_missing(FactGroup.PROJECT, "project", no_project)]),
            *doctor.of_job(),
            *(doctor.of_world(world, project) if world else [_missing(FactGroup.SURFACES, "world", no_world)]),
        ]
        facts = look_up(questions, within=WITHIN, redact=redact)
        # It compares the answers of the servers, so it is the last.
        facts += look_up([Question(group=FactGroup.MACHINE, name="clock", ask=doctor.clock)], within=WITHIN)
        doctor.close()
    order = list(FactGroup)
    facts = tuple(sorted(facts, key=lambda each: order.index(each.group)))
    if as_json:
        name, rehearsal = (world.name, world.rehearsal) if world else ("", False)
        echo_json(DoctorDocument(world=name, rehearsal=rehearsal, facts=facts))
    else:
        for line in block(facts):
            click.echo(line)
    return Unknown.exit_code if strict and any(map(_is_in_doubt, facts)) else 0


def _missing(group: FactGroup, name: str, why: Answer) -> Question:
    return Question(group=group, name=name, ask=lambda: why)


def _is_in_doubt(fact: Fact) -> bool:
    """Whether a fact is unknown, or says that a surface does not answer."""
    return fact.state is FactState.UNKNOWN or (fact.group is FactGroup.SURFACES and fact.state is FactState.ABSENT)
