"""Run ``unmoor metrics record``: read every file, then add what they have to the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output
from unmoor.cli.metrics_store import open_metrics
from unmoor.errors import Refused
from unmoor.metrics.parsers.combine import ParsedFile, combine
from unmoor.metrics.parsers.model import Measured, NoCommit
from unmoor.metrics.parsers.recognize import FORMATS, parse_file
from unmoor.util.digests import is_commit
from unmoor.util.text import clean, count_of, list_some

if TYPE_CHECKING:
    from unmoor.cli.resolve_project import ResolvedProject
    from unmoor.cli.run_options import TargetOptions
    from unmoor.metrics.records import Record


class RecordDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``metrics record --json``.

    ``figures`` says how many of each kind the files have; ``new``, ``changed`` and ``same`` say what that changes.
    """

    store: str
    dry_run: bool
    figures: dict[str, int]
    new: int
    changed: int
    same: int


def run(
    target: TargetOptions,
    files: Sequence[Path],
    *,
    commit: str | None,
    imports: bool,
    store: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Read the files, add their records to the store, and print on stdout what that changed.

    Raises `Refused`, with every file that cannot be read, before anything is written.
    """
    if commit is not None and not is_commit(commit):
        raise Refused(
            f"{clean(commit, 80)!r} is no full id of a commit",
            where="--commit",
            next_step=advice.NAME_MEASURED_COMMIT(),
        )
    with Processes() as processes, processes.guarded():
        opened = open_metrics(target, processes, store=store)
        records = _read(files, opened.project, commit, imports=imports)
        if dry_run:
            added = opened.store.preview(records)
        else:
            added = opened.store.append(records, f"Record {_figures(records)}")
    document = RecordDocument(
        store=opened.store.where,
        dry_run=dry_run,
        figures=_counts(records),
        new=added.new,
        changed=added.changed,
        same=added.same,
    )
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        rows = [(kind, str(count)) for kind, count in document.figures.items()]
        for line in output.align_columns(("kind", "figures"), rows):
            click.echo(line)
    verb = "would be added to" if dry_run else "added to"
    output.err(f"{added.new} new and {added.changed} changed {verb} {document.store}; {added.same} were there already")
    return 0


def _read(files: Sequence[Path], project: ResolvedProject, commit: str | None, *, imports: bool) -> tuple[Record, ...]:
    """Read every file. Raises `Refused` with all that are wrong."""
    given = commit or project.ci.commit or project.commit or ""
    now = datetime.now(UTC).replace(microsecond=0)
    parsed, wrong = [], []
    for path in {each.resolve(): each for each in files}.values():
        name = clean(str(path), 200)
        measured = Measured(stem=path.stem, now=now, commit=given, named=commit is not None, imports=imports)
        try:
            parsed.append(ParsedFile(name=name, parsed=parse_file(path, measured)))
        except ValueError as error:
            wrong.append(f"{name}: {clean(str(error), 300)}")
        except OSError as error:
            wrong.append(f"{name}: it cannot be read: {error.strerror or error}")
        except NoCommit:
            raise Refused(
                "nothing says which commit was measured", where=name, next_step=advice.NAME_MEASURED_COMMIT()
            ) from None
    if not wrong:
        for file in parsed:
            for note in file.parsed.notes:
                output.err(f"warning: {file.name}: {note}")
        try:
            return combine(parsed)
        except ValueError as error:
            wrong.append(clean(str(error), 500))
    raise Refused(
        "\n".join([f"nothing was recorded, since {count_of(len(wrong), 'file')} cannot be read", *wrong])
        if len(wrong) > 1
        else f"nothing was recorded: {wrong[0]}",
        next_step=advice.NAME_KNOWN_FILES(formats=", ".join(FORMATS)),
    )


def _counts(records: Sequence[Record]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in records:
        counts[each.folder] = counts.get(each.folder, 0) + 1
    return counts


def _figures(records: Sequence[Record]) -> str:
    """The kinds of records, for the message of a commit."""
    return list_some([f"{count} {kind}" for kind, count in _counts(records).items()])
