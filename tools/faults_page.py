"""Write the reference page of faults, from their catalogue and the routes of the local servers."""

from __future__ import annotations

from unmoor.rehearsal.faults import routes
from unmoor.rehearsal.faults.catalogue import FAULTS, Fault, FaultKind
from unmoor.rehearsal.faults.injection import START

_HEAD = """\
# Faults of a rehearsal

`unmoor rehearse --chaos` breaks a local world with these faults. One layer in front of every local server carries them
out, so it knows whether the work of a request was done when it failed.

An address is a service, a route of it, and the number of the request *of that route*, from 1. A fault with `xTIMES`
meets as many in a row, and with `x0` every one from there on.

| text | what it means |
|---|---|
| `lost-reply@pypi:POST /legacy/#2` | the second upload is stored, and its answer is lost |
| `down@sigstore:*#1x0` | every request to Sigstore is answered with 503; `*` counts all requests of a service |
| `stale@pypi:GET /simple/{name}/#3x4` | the third to the sixth read of a page show an earlier state |
| `broken@registry:PUT =/v2/acme/demo/manifests/latest#1` | after `=` comes a path itself, and `*` may end it |
| `KILL@pypi:POST /legacy/#1:before` | the command is killed when its first upload arrives; `:after` once it is stored |
| `TERM@journal:upload/made#1` | the command gets SIGTERM at a line of its journal, by stage and kind |
| `moved-tag@journal:draft/begun#1` | the tag on the remote moves at a line of the journal, or at a request |
| `dirty-tree@start:checkout#1` | the checkout has changes before the run |

A world reads its plan from `faults.json` in its folder, `{"injections": [TEXT, …]}`, when that file changes, and counts
from nothing then. What was met is appended to `met.jsonl` there, with `effect`: whether the work was done. A plan with
an unknown fault, service or route is refused, and a world whose plan is broken answers every request with 500.

A kill at a request reaches the process whose id is in `client.pid` there, but only one that was started by the program
that started the world. Without such a process the request is answered as usual, and the kill was not met.
"""
_KINDS = {
    FaultKind.BEFORE: "Before the work",
    FaultKind.DURING: "During the request",
    FaultKind.AFTER: "After the work",
    FaultKind.ANSWER: "In the answer",
    FaultKind.READ: "In what is read",
    FaultKind.REMOTE: "Of the git remote",
    FaultKind.KILL: "Of the command itself",
    FaultKind.START: "Before the run",
}


def page() -> str:
    """Return the page: a table for each kind of fault, and the routes of each service."""
    parts = [_HEAD]
    for kind, title in _KINDS.items():
        found = [each for each in FAULTS.values() if each.kind is kind]
        parts += [f"\n## {title}\n\n| fault | what happens | where | needs |\n|---|---|---|---|\n", *map(_row, found)]
    parts.append(
        "\n## Services and routes\n\nPaths below `/api/v3` of the forge are written without it. A path that none of"
        f" these fits has the route `{routes.OTHER}`. The second registry of a world is `{routes.nth_registry(2)}`.\n"
    )
    for service in routes.TABLES:
        lines = "\n".join(routes.routes(service))
        parts.append(f"\n### `{service}`\n\n```text\n{lines}\n```\n")
    return "".join(parts)


def _row(fault: Fault) -> str:
    where = ", ".join(f"`{_place(target)}`" for target in fault.targets)
    return f"| `{fault.name}` | {fault.summary} | {where} | {', '.join(fault.needs) or '-'} |\n"


def _place(target: str) -> str:
    """Write a target as an address begins."""
    return target.replace(f"{START}:* ", f"{START}:")
