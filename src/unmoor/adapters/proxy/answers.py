"""Read HAProxy's answers: ``show info``, ``show servers state`` and ``show stat``.

Columns are found by the names in the header, so that a version with more of them is read, too. A text of any other
shape raises ``ValueError``.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Mapping

from unmoor.ports.proxy import Admin, ProxyServer
from unmoor.util.text import clean

_STATE_VERSION = "1"
# Flags of srv_admin_state: maintenance and drain, forced by the API or inherited.
_MAINT = 0x01 | 0x02 | 0x04 | 0x20
_DRAIN = 0x08 | 0x10
_DIGITS = 18


def read_info(text: str) -> tuple[str, str]:
    """Return the version, and what tells this process of the proxy from an earlier one."""
    facts = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    if facts.get("Name") != "HAProxy" or "Pid" not in facts:
        raise ValueError("its answer to 'show info' is not HAProxy's")
    return clean(facts.get("Version", ""), 60), clean(facts["Pid"], 20)


def read_servers(states: str, statistics: str, backend: str) -> tuple[ProxyServer, ...]:
    """Return the servers of a backend, from its ``show servers state`` and its ``show stat``."""
    counted = _statistics(statistics, backend)
    servers = []
    for row in _states(states):
        if row["be_name"] != backend:
            continue
        name = row["srv_name"]
        if name not in counted:
            raise ValueError(f"'show stat' has no server {clean(name, 60)}")
        servers.append(_server(name, row, counted[name]))
    if not servers:
        raise ValueError(f"the backend {backend} has no servers")
    return tuple(servers)


def check_state_file(text: str) -> str:
    """Return the text if it is a whole state file, as ``show servers state`` writes one."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) < 2 or lines[0] != _STATE_VERSION or not lines[1].startswith("# be_id be_name"):  # noqa: PLR2004
        raise ValueError("it is no list of servers in the format of version 1")
    list(_states(text))
    return "\n".join(lines) + "\n"


def _states(text: str) -> list[Mapping[str, str]]:
    lines = [line for line in text.splitlines() if line]
    if len(lines) < 2 or lines[0] != _STATE_VERSION or not lines[1].startswith("# "):  # noqa: PLR2004
        raise ValueError("its list of servers is not in the format of version 1")
    columns = lines[1].removeprefix("# ").split(" ")
    rows = [line.split(" ") for line in lines[2:]]
    if any(len(row) != len(columns) for row in rows):
        raise ValueError("a line of its list of servers has other columns than the header")
    _require(columns, ("be_name", "srv_name", "srv_addr", "srv_port", "srv_admin_state"))
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _statistics(text: str, backend: str) -> Mapping[str, Mapping[str, str]]:
    lines = text.lstrip("# ").splitlines()
    reader = csv.DictReader(line for line in lines if line)
    _require(reader.fieldnames or (), ("pxname", "svname", "status", "act", "econ", "eresp", "hrsp_5xx", "rtime"))
    try:
        rows = [row for row in reader if row["pxname"] == backend]
    except csv.Error as error:
        raise ValueError(f"its statistics are not CSV: {error}") from None
    return {str(row["svname"]): {key: value or "" for key, value in row.items() if key} for row in rows}


def _require(columns: list[str] | tuple[()] | object, wanted: tuple[str, ...]) -> None:
    missing = [name for name in wanted if name not in columns]  # type: ignore[operator]
    if missing:
        raise ValueError(f"its answer has no column {missing[0]}")


def _server(name: str, state: Mapping[str, str], counted: Mapping[str, str]) -> ProxyServer:
    flags = _number(state["srv_admin_state"])
    responses = sum(_number(counted.get(f"hrsp_{kind}", "")) for kind in ("1xx", "2xx", "3xx", "4xx", "5xx", "other"))
    try:
        address = str(ipaddress.ip_address(state["srv_addr"]))
    except ValueError:
        address = clean(state["srv_addr"], 60)
    return ProxyServer(
        name=name,
        address=address,
        port=_number(state["srv_port"]),
        admin=Admin.MAINT if flags & _MAINT else Admin.DRAIN if flags & _DRAIN else Admin.READY,
        # "UP", "UP 1/2" (going down), "DRAIN" and "no check" take requests or would; "DOWN …", "MAINT", "NOLB" do not.
        up=counted["status"].startswith(("UP", "DRAIN", "no check")),
        backup=counted.get("bck", "") == "1",
        check=clean(" ".join(filter(None, (counted.get("check_status", ""), counted.get("last_chk", "")))), 100),
        sessions=_number(counted.get("scur", "")),
        responses=responses,
        failed=_number(counted["hrsp_5xx"]),
        broken=_number(counted["econ"]) + _number(counted["eresp"]),
        latency=float(_number(counted["rtime"])),
    )


def _number(text: str) -> int:
    """Return a count; an empty field is 0."""
    if text and (not text.isascii() or not text.isdigit() or len(text) > _DIGITS):
        raise ValueError(f"{clean(text, 40)!r} is not a count")
    return int(text or 0)
