"""Users of a service: requests through its proxy, one after the other, while something else happens."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

_PAUSE = 0.005


def ask(address: str, path: str) -> str:
    """What users get. Raises `OSError` or `HTTPException` for anything but a page."""
    place = urlsplit(address)
    with contextlib.closing(HTTPConnection(str(place.hostname), place.port or 0, timeout=10)) as connection:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        text = answer.read().decode().strip()
    if answer.status != HTTPStatus.OK:
        raise OSError(f"status {answer.status}")
    return text


@dataclass
class Users:
    """Requests in the background: what was answered, by the answer, and what failed."""

    answers: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """The number of answers."""
        return sum(self.answers.values())


@contextlib.contextmanager
def users_of(get: Callable[[], str]) -> Iterator[Users]:
    """Send requests until the block ends."""
    users, stop, lock = Users(), threading.Event(), threading.Lock()

    def work() -> None:
        while not stop.wait(_PAUSE):
            try:
                answer = get()
                with lock:
                    users.answers[answer] = users.answers.get(answer, 0) + 1
            except (OSError, HTTPException) as error:
                users.failed.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield users
    finally:
        stop.set()
        for thread in threads:
            thread.join()
