"""Write the reference page of the records of metrics, from their structs and from the schema of the database."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from tests.support.metric_records import EXAMPLES

from unmoor.metrics.records import KINDS, Record
from unmoor.metrics.store.database import open_database, written
from unmoor.metrics.store.lines import LARGEST_PART, encode, file_of
from unmoor.metrics.store.migrations import DESCRIPTIONS, MIGRATIONS

_HEAD = """\
# Records of metrics

`unmoor metrics` keeps what it records and fetches as lines of JSON in files that only grow, in a folder or on a branch.
A file is `KIND/YYYY-MM.jsonl`, in the month of the record's own time (UTC). A month that grows beyond {size} MB goes on
in `KIND/YYYY-MM.2.jsonl`, and so on.

Each line is an object; `kind` says which. If two lines have the same kind and key, the later one counts. Times are in
UTC. What is unknown is `null`, or not there. A later version of unmoor may add a key, never change the meaning of one.

You can write such lines yourself, and add them with `unmoor metrics record FILE`.

## The lines

| folder | key | an example |
|---|---|---|
"""
_DATABASE = """
## The database

`unmoor metrics report --database FILE` writes a SQLite database, built from the lines. It can be thrown away at any
time. `PRAGMA user_version` is {version}; a database of an earlier version is brought up to date when it is opened, and
one of a later version is refused. `PRAGMA application_id` is 0x756e6d72.

Times are texts such as `{time}`, so that they sort as they follow each other.

```sql
-- How long the jobs of a workflow took since November 2026.
SELECT name, count(*), avg(seconds) FROM jobs
WHERE workflow = '.github/workflows/ci.yml' AND conclusion = 'success' AND started >= '2026-11-01'
GROUP BY name;
```
"""
_KEYS = {
    "runs": "`id`, `attempt`",
    "jobs": "`id`",
    "benchmarks": "`commit`, `name`, `unit`, `machine`, `at`",
    "coverage": "`commit`",
    "tests": "`commit`, `suite`",
    "findings": "`commit`, `tool`",
    "releases": "`id`",
    "updates": "`number`",
}


def page() -> str:
    """Return the page: the lines of each kind, and the tables of the database."""
    examples = {type(each): each for each in EXAMPLES}
    rows = [_row(examples[kind]) for kind in KINDS]
    time = written(datetime(2026, 11, 29, 18, 30, tzinfo=UTC))
    parts = [
        _HEAD.format(size=LARGEST_PART // 1_000_000) + "\n".join(rows) + "\n",
        _DATABASE.format(version=len(MIGRATIONS), time=time),
    ]
    with closing(open_database()) as database:
        for table, (summary, columns) in DESCRIPTIONS.items():
            found = database.execute(f"PRAGMA table_info({table})").fetchall()
            lines = [
                f"| `{name}`{' (key)' if key else ''} | {kind.lower()}{'' if needed or key else ', or NULL'} |"
                f" {columns[name]} |"
                for _, name, kind, needed, _, key in found
            ]
            parts.append(
                f"\n### `{table}`\n\n{summary}\n\n| column | type | meaning |\n|---|---|---|\n"
                + "\n".join(lines)
                + "\n"
            )
    return "".join(parts)


def _row(record: Record) -> str:
    line = encode(record).decode().strip().replace("|", "\\|")
    folder = file_of(record).folder
    return f"| `{folder}/` | {_KEYS.get(folder, 'one record only')} | `{line}` |"
