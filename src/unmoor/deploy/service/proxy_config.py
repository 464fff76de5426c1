"""The part of HAProxy's configuration for a service, to paste."""

from __future__ import annotations

import re
from collections.abc import Mapping

from unmoor.deploy.service.slots import SPARE

# What HAProxy's reader gives a meaning to (configuration manual, "Quoting and escaping").
_SPECIAL = re.compile(r"""([\\"'#$])""")
_TEXT = """\
# HAProxy's configuration for the service {name}, by unmoor. Paste it, and reload HAProxy once.

# In the section 'global': where unmoor talks to HAProxy, and what it writes there after each change, so that a restart
# of HAProxy brings back which slot serves.
global
  stats socket {socket} mode 660 level admin
  server-state-file {state}

# In 'defaults', or in the backend below:
defaults
  mode http
  load-server-state-from-file global
  timeout connect 2s
  timeout client 30s
  timeout server 30s

# Of your own frontend, only this line:
#   default_backend {backend}
backend {backend}
  mode http
  # A request that reached no server goes to another one; one that got no answer does if it only reads.
  option redispatch 1
  retries 3
  retry-on conn-failure empty-response
  http-request disable-l7-retry if !METH_GET
  option httpchk GET {check}
  default-server check inter 300ms fall 2 rise 1 observe layer7 error-limit 10 on-error mark-down
{servers}
"""


def proxy_config(name: str, slots: Mapping[str, int], *, backend: str, socket: str, state: str, check: str) -> str:
    """Write the configuration. A slot's backup twin serves as soon as every other server is down."""
    width = max(len(slot) for slot in slots) + len(SPARE)
    servers = [f"  server {slot:{width}} 127.0.0.1:{port}" for slot, port in slots.items()]
    servers += [f"  server {slot + SPARE:{width}} 127.0.0.1:{port} backup" for slot, port in slots.items()]
    return _TEXT.format(
        name=name,
        backend=backend,
        socket=socket,
        state=state,
        check=_SPECIAL.sub(r"\\\1", check),
        servers="\n".join(servers),
    )
