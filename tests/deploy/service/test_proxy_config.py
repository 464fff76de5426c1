"""HAProxy itself accepts the configuration that is printed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.support.service_model import PORTS

from unmoor.adapters.proxy.own_proxy import find_haproxy
from unmoor.deploy.service.proxy_config import proxy_config


@pytest.mark.parametrize("check", ["/health", "/a?b='c'", '/"#$HOME\\'], ids=["plain", "quotes", "special"])
def test_haproxy_accepts_it(tmp_path: Path, check: str) -> None:
    """Whatever the path of its checks is, the reader of HAProxy takes it for one word."""
    program = find_haproxy(os.environ)
    if not program:
        pytest.skip("haproxy is not installed")
    state = str(tmp_path / "state")
    text = proxy_config("web", PORTS, backend="web", socket=str(tmp_path / "s"), state=state, check=check)
    Path(state).touch()
    file = tmp_path / "haproxy.cfg"
    file.write_text(text, encoding="utf-8")
    ran = subprocess.run([program, "-c", "-f", str(file)], capture_output=True, text=True, check=False, timeout=30)
    assert ran.returncode == 0, ran.stderr


def test_each_slot_has_a_twin() -> None:
    """Servers and twins have the ports of the settings; what may change something is never sent twice."""
    text = proxy_config("web", PORTS, backend="web", socket="/s", state="/t", check="/")
    words = [line.split() for line in text.splitlines()]
    assert ["server", "blue-spare", "127.0.0.1:9101", "backup"] in words
    assert ["server", "green", "127.0.0.1:9102"] in words
    assert "http-request disable-l7-retry if !METH_GET" in text
