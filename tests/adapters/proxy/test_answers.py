"""What HAProxy answers is read by the names of its columns; any other text is one error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.adapters.proxy.answers import check_state_file, read_info, read_servers
from unmoor.ports.proxy import Admin

INFO = "Name: HAProxy\nVersion: 2.6.12-1\nPid: 16425\nUptime_sec: 1\n"
HEADER = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state"
    " bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr"
    " srv_agent_addr srv_agent_port"
)
ROW = "3 web {number} {name} {address} 0 {flags} 1 1 2 8 2 0 6 0 0 0 - {port} - 0 0 - - 0"
COLUMNS = "pxname,svname,scur,econ,eresp,status,act,bck,check_status,last_chk,hrsp_1xx,hrsp_2xx,hrsp_4xx,hrsp_5xx,rtime"


def states(*, flags: int = 0, address: str = "127.0.0.1") -> str:
    """The answer to ``show servers state``: a slot and its twin."""
    rows = [
        ROW.format(number=1, name="blue", address=address, flags=flags, port=9101),
        ROW.format(number=2, name="blue-spare", address=address, flags=0, port=9101),
    ]
    return "\n".join(("1", f"# {HEADER}", *rows, ""))


def statistics(status: str = "UP") -> str:
    """The answer to ``show stat``: with a row for the backend, too, and columns in an order of its own."""
    return (
        f"# {COLUMNS}\n"
        f"web,blue,2,1,3,{status},1,0,L7OK,HTTP status check passed,,70,1,4,58\n"
        "web,blue-spare,0,0,0,DOWN,0,1,L4CON,Connection refused,,,,0,0\n"
        "web,BACKEND,0,0,0,UP,1,1,,,0,70,1,6,58\n\n"
    )


def test_a_whole_answer() -> None:
    """Servers have their counters, which are sums over the classes of status, and the last result of a check."""
    blue, spare = read_servers(states(), statistics(), "web")
    assert (blue.name, blue.port, blue.admin, blue.up, blue.backup) == ("blue", 9101, Admin.READY, True, False)
    assert (blue.responses, blue.failed, blue.broken, blue.latency, blue.sessions) == (75, 4, 4, 58.0, 2)
    assert blue.check == "L7OK HTTP status check passed"
    assert (spare.up, spare.backup, spare.check) == (False, True, "L4CON Connection refused")
    assert read_info(INFO) == ("2.6.12-1", "16425")


@pytest.mark.parametrize(
    ("flags", "admin"),
    [(0, Admin.READY), (1, Admin.MAINT), (4, Admin.MAINT), (8, Admin.DRAIN), (9, Admin.MAINT), (0x10, Admin.DRAIN)],
    ids=str,
)
def test_what_a_server_was_told(flags: int, admin: Admin) -> None:
    """Maintenance counts before drain, and inherited flags as well as forced ones."""
    assert read_servers(states(flags=flags), statistics(), "web")[0].admin is admin


@pytest.mark.parametrize(
    ("status", "up"),
    [("UP", True), ("UP 1/2", True), ("no check", True), ("DRAIN", True), ("DOWN", False), ("DOWN 1/2", False)],
    ids=str,
)
def test_whether_a_server_is_up(status: str, *, up: bool) -> None:
    """A server on its way down still gets requests."""
    assert read_servers(states(), statistics(status), "web")[0].up is up


@pytest.mark.parametrize(
    ("given_states", "given_statistics", "says"),
    [
        ("", statistics(), "not in the format of version 1"),
        (states().replace("1\n", "2\n", 1), statistics(), "not in the format of version 1"),
        (states().replace("srv_admin_state", "else"), statistics(), "no column srv_admin_state"),
        (states() + "3 web 3\n", statistics(), "other columns than the header"),
        (states(), statistics().replace("web,blue,", "web,green,"), "no server blue"),
        (states(), statistics().replace("hrsp_5xx", "else"), "no column hrsp_5xx"),
        (states(), statistics().replace(",58\n", ",many\n"), "'many' is not a count"),
        (states(), "<html>", "no column"),
        (states().replace(" web ", " other "), statistics(), "the backend web has no servers"),
    ],
    ids=["empty", "version", "column", "cut", "server", "counter", "count", "html", "backend"],
)
def test_any_other_answer(given_states: str, given_statistics: str, says: str) -> None:
    """It is one error that says what is wrong."""
    with pytest.raises(ValueError, match=says):
        read_servers(given_states, given_statistics, "web")


@settings(max_examples=40)
@given(st.text(), st.text())
def test_no_text_is_another_error(first: str, second: str) -> None:
    """Whatever a server answers, it is read or refused."""
    for read in (lambda: read_servers(first, second, "web"), lambda: read_info(first), lambda: check_state_file(first)):
        try:
            read()
        except ValueError:
            continue


def test_a_whole_state_file() -> None:
    """It ends with a line break; one that was cut is refused."""
    assert check_state_file(states() + "\n") == states()
    with pytest.raises(ValueError, match="other columns"):
        check_state_file(states()[:-30])
