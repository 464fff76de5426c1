"""Commits and tags, sent by huggingface_hub over the bounded session. Nothing else imports that client.

Its own HTTP client has no time-out and repeats requests as a server asks. It takes another one from a factory that is
global, so one write at a time sets it. The transport here raises unmoor's errors, which pass through the client: it
never sees a refusal, so it never repeats one. `commit` is sent once, all that comes before it may be repeated.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from unmoor import advice
from unmoor.adapters.http.retry_after import Retries
from unmoor.adapters.http.session import BoundedSession, Response, transfer_time
from unmoor.adapters.http.urls import origin, without_query
from unmoor.adapters.hub.answers import malformed, refusal
from unmoor.errors import ToolMissing, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.space_hub import SpaceChange
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_commit
from unmoor.util.secret import Secret
from unmoor.util.values import replace

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

T = TypeVar("T")
_BEFORE = Retries(faults=(Unknown,), patience=300.0, waits=3)
"""What comes before a commit changes nothing that anybody sees."""
_ONCE = replace(_BEFORE, faults=(), writes=True)
_ONE_AT_A_TIME = threading.Lock()
_LIMIT = 20_000_000
_DROPPED = frozenset({"host", "content-length", "transfer-encoding", "connection", "user-agent", "accept-encoding"})


class HubWriter:
    """Writes to one Space with a token."""

    def __init__(self, *, root: str, repo: str, token: Secret, http: BoundedSession, clock: Clock) -> None:
        self._root = root
        self._repo = repo
        self._token = token
        self._http = http
        self._clock = clock

    def tag(self, name: str, commit: str) -> None:
        """Make a tag."""
        self._call(
            lambda api: api.create_tag(
                self._repo, tag=name, revision=commit, repo_type="space", token=self._token.reveal()
            )
        )

    def commit(self, change: SpaceChange, parent: str) -> str:
        """Commit onto ``parent``, and return the id."""
        from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
            *(CommitOperationAdd(path_in_repo=each.path, path_or_fileobj=each.source) for each in change.additions),
            *(
                CommitOperationCopy(src_path_in_repo=each.path, path_in_repo=each.path, src_revision=each.commit)
                for each in change.restorations
            ),
            *(CommitOperationDelete(path_in_repo=path, is_folder=False) for path in change.deletions),
        ]
        made = self._call(
            lambda api: api.create_commit(
                self._repo,
                operations,
                commit_message=change.title,
                repo_type="space",
                revision="main",
                parent_commit=parent,
                token=self._token.reveal(),
            )
        )
        if not is_commit(made.oid):
            raise malformed("a commit: its id is no commit id", self._root)
        return str(made.oid)

    def _call(self, call: Callable[[HfApi], T]) -> T:
        """Call the client. Its own exceptions become `Unknown`: it did not understand what the hub answered."""
        with _ONE_AT_A_TIME, self._configured() as api:
            try:
                return call(api)
            except UnmoorError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever the client makes of an answer
                # An upload wraps what its thread raised. The text may quote the request.
                if (cause := _unmoor_cause(error)) is not None:
                    raise cause from None
                raise malformed(
                    f"what its client understands ({type(error).__name__})", f"{self._root}/api/spaces/{self._repo}"
                ) from None

    @contextmanager
    def _configured(self) -> Iterator[HfApi]:
        """Give the client our transport and nothing of this machine's login, and close it afterwards."""
        import huggingface_hub
        from huggingface_hub import constants
        from huggingface_hub.utils import logging as hub_logging
        from huggingface_hub.utils.tqdm import disable_progress_bars

        # Xet is native code, which has no limits of ours; without it the client uses LFS. No login but the given one.
        constants.HF_HUB_DISABLE_XET = True
        constants.HF_HUB_DISABLE_IMPLICIT_TOKEN = True
        hub_logging.set_verbosity(logging.CRITICAL)
        disable_progress_bars()
        client = self._client()
        huggingface_hub.set_client_factory(lambda: client)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about a README that the hub takes
                yield huggingface_hub.HfApi(endpoint=self._root, token=self._token.reveal() or False)
        finally:
            huggingface_hub.close_session()

    def _client(self) -> httpx2.Client:
        import httpx2

        writer = self

        class Transport(httpx2.BaseTransport):
            """Sends each request over the bounded session."""

            def handle_request(self, request: httpx2.Request) -> httpx2.Response:
                answer = writer.send(request.method, str(request.url), dict(request.headers), request.read())
                headers = {"content-type": answer.headers.get("Content-Type", "")}
                etag = answer.headers.get("ETag")  # of a part of a large file
                return httpx2.Response(
                    answer.status, headers=headers | ({"etag": etag} if etag else {}), content=answer.body
                )

        return httpx2.Client(transport=Transport(), follow_redirects=False, timeout=None, trust_env=False)

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        """Send a request of the client. The token goes to the hub only. Raises for every refusal."""
        ours = origin(url) == origin(self._root)
        visible = {name: value for name, value in headers.items() if name.lower() not in {*_DROPPED, "authorization"}}
        secrets = {"Authorization": Secret(f"Bearer {self._token.reveal()}")} if ours and self._token else {}
        is_write = _is_write(method, url, self._root) if ours else False
        where = without_query(url)

        def once() -> Response:
            if method == "GET":
                answer = self._http.get(url, headers=visible, secret_headers=secrets, limit=1_000_000_000)
            else:
                answer = self._http.send(
                    method,
                    url,
                    body=body,
                    headers=visible,
                    secret_headers=secrets,
                    limit=_LIMIT,
                    deadline=transfer_time(len(body)),
                )
            if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise refusal(answer, where, writes=is_write)
            if ours and method == "POST" and "/tag/" not in url:
                _require_json(answer, where)
            return answer

        return (_ONCE if is_write else _BEFORE).call(once, self._clock)


def _is_write(method: str, url: str, root: str) -> bool:
    """Whether a request changes what the branch or a tag names."""
    path = url.removeprefix(root).partition("?")[0]
    parts = path.split("/")  # "", api, spaces, OWNER, NAME, commit …
    return method == "POST" and len(parts) > 5 and parts[1] == "api" and parts[5] in {"commit", "tag"}  # noqa: PLR2004 - of the path above


def _require_json(answer: Response, where: str) -> None:
    """Raise `Unknown` for a page of a proxy that looks like success."""
    try:
        decode_json(answer.body, dict[str, Any] | list[Any])  # type: ignore[arg-type]
    except ValueError:
        raise malformed("the hub's", where) from None


def _unmoor_cause(error: BaseException) -> UnmoorError | None:
    """The error of ours in a chain of causes."""
    current: BaseException | None = error
    for _ in range(10):
        if current is None or isinstance(current, UnmoorError):
            return current
        current = current.__cause__ or current.__context__
    return None


def load_client() -> None:
    """Import what a commit needs. What cannot be imported fails where it is used, with a message."""
    with suppress(Exception):
        importlib.import_module("huggingface_hub.hf_api")
        importlib.import_module("huggingface_hub._commit_api")


def require_client() -> None:
    """Raise `ToolMissing` if huggingface_hub is not installed."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise ToolMissing(
            "huggingface_hub is not installed, which deploys to Spaces", next_step=advice.INSTALL_SPACE_EXTRA()
        )
