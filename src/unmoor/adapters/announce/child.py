"""The child process that sends: ``python -m unmoor.adapters.announce.child``, with its task as JSON on stdin.

It writes a line of JSON for each target as soon as that is done. Everything else that it, apprise or what apprise uses
writes goes nowhere, since addresses with tokens may be in it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import warnings
from typing import IO, Any
from urllib.parse import urlsplit

import msgspec

from unmoor.deploy.announce.message import TargetLimits, fit
from unmoor.ports.announcer import Message
from unmoor.util.decode import decode_json

NO_APPRISE = 3
"""The exit code if apprise cannot be imported."""
# The services that a local world has servers for: the attributes that hold their addresses, and the paths there.
_CAUGHT = {"slack": ("webhook_url", "slack"), "discord": ("notify_url", "discord")}


class SendTask(msgspec.Struct, frozen=True, kw_only=True):
    """What the child does: judge the addresses of targets, by name, or send them a message too.

    ``catcher`` is the root of a local world's servers in place of a service, empty for the real ones. In a
    ``rehearsal`` an address that is not on this machine is not usable. ``seconds`` is for how long it sends.
    """

    targets: dict[str, str]
    message: Message | None = None
    catcher: str = ""
    rehearsal: bool = False
    seconds: float = 30.0


class TargetResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the child says of one target: whether the address is usable, or whether the message was accepted."""

    target: str
    usable: bool = True
    accepted: bool | None = None
    seconds: float = 0.0


def main() -> int:
    """Do the task on stdin."""
    task = decode_json(sys.stdin.buffer.read(), SendTask)
    said = _silence()
    try:
        import apprise
    except ImportError:
        return NO_APPRISE
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    lock = threading.Lock()

    def say(line: TargetResult) -> None:
        with lock:
            said.write(msgspec.json.encode(line) + b"\n")

    found = {name: _opened(apprise, address, task) for name, address in task.targets.items()}
    if task.message is None:
        for name, target in found.items():
            say(TargetResult(target=name, usable=target is not None))
        return 0
    threads = []
    for name, target in found.items():
        if target is None:
            say(TargetResult(target=name, usable=False))
            continue
        thread = threading.Thread(target=_send, args=(name, target, task.message, say), daemon=True)
        thread.start()
        threads.append(thread)
    ends = time.monotonic() + task.seconds
    for thread in threads:
        thread.join(max(ends - time.monotonic(), 0.0))
    return 0


def _silence() -> IO[bytes]:
    """Send what is written to stdout and stderr nowhere, and return the former stdout."""
    said = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)  # noqa: TID251 - nothing is made, on any system
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    return said


def _opened(apprise: Any, address: str, task: SendTask) -> Any:
    """The target at an address, ``None`` if apprise cannot use the address."""
    try:
        target = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - plugins raise anything for an address that they do not understand
        return None
    if target is None:
        return None
    caught = next((found for scheme, found in _CAUGHT.items() if scheme in _schemes(target)), None)
    if task.catcher and caught is not None:
        attribute, path = caught
        setattr(target, attribute, f"{task.catcher}/{path}")
        return target if _is_here(task.catcher) or not task.rehearsal else None
    host = getattr(target, "smtp_host", "") or target.host
    return target if not task.rehearsal or _is_here(f"//{host}") else None


def _is_here(address: str) -> bool:
    """Whether an address is on this machine."""
    return urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}


def _schemes(target: Any) -> tuple[str, ...]:
    """The schemes of a target's addresses."""
    return tuple(
        scheme
        for each in (target.protocol, target.secure_protocol)
        for scheme in ((each,) if isinstance(each, str) else tuple(each or ()))
    )


def _send(name: str, target: Any, message: Message, say: Any) -> None:
    begun = time.monotonic()
    try:
        limits = TargetLimits(title=target.title_maxlen, body=target.body_maxlen, lines=target.body_max_line_count)
        title, body = fit(message, limits)
        accepted = bool(target.notify(body=body, title=title, body_format="text"))
    except Exception:  # noqa: BLE001 - whatever a plugin raises, the message was not accepted
        accepted = False
    say(TargetResult(target=name, accepted=accepted, seconds=round(time.monotonic() - begun, 2)))


if __name__ == "__main__":
    code = main()
    # Without waiting for what apprise's threads still do.
    os._exit(code)
