"""What signatures are checked against, and where they are made: the trust config of one Sigstore instance.

For the public instance sigstore gets it by TUF, and keeps it in the user's data and cache folders. For any other it is
a file.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from unmoor import advice
from unmoor.adapters.sigstore.reading import silence
from unmoor.advice import NextStep
from unmoor.errors import Cause, ConfigError, Denied, from_os_error
from unmoor.ports.failure import failure
from unmoor.util.concurrency import NoAnswer, call_within
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig, TrustedRoot

T = TypeVar("T")
_LIMIT = 10_000_000
# Seconds for all files that TUF fetches. It has a time-out for each, and none for a server that sends slowly.
_PATIENCE = 90.0
# Attestations for indexes need the time stamps of this version; the next one has none.
_LOG_VERSION = 1
_MOST_ROOTS = 10


class TrustedRoots(Protocol):
    """What signatures are checked against."""

    def roots(self) -> tuple[TrustedRoot, ...]:
        """Return the trusted roots, at least one. Raises `ConfigError`, `Unknown`."""


@dataclass(kw_only=True)
class Trust:
    """One trust config, read when it is first needed. Safe to share between threads.

    ``path`` is a client trust config; empty means the public instance, for which to wait no more than ``patience``
    seconds.
    """

    path: str
    patience: float = _PATIENCE
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _config: ClientTrustConfig | None = field(default=None, repr=False)

    def config(self) -> ClientTrustConfig:
        """Return the config. Raises `ConfigError` for a bad file, `Unknown` if the public one cannot be fetched."""
        with self._lock:
            if self._config is None:
                self._config = self._read() if self.path else _fetch(self.patience)
                self._config.force_tlog_version = _LOG_VERSION
            return self._config

    def roots(self) -> tuple[TrustedRoot, ...]:
        """The trusted root in the config, the only one. Raises as `config` does."""
        return (self.config().trusted_root,)

    def _read(self) -> ClientTrustConfig:
        from sigstore.models import ClientTrustConfig

        with _readable_file(self.path, "the trust config of Sigstore", advice.CHECK_TRUST_CONFIG()) as text:
            return ClientTrustConfig.from_json(text)


@dataclass(kw_only=True)
class TrustFiles:
    """Trusted roots in files, read when they are first needed. Safe to share between threads.

    A file holds a trusted root, a client trust config, or the JSON lines of ``gh attestation trusted-root``: one
    trusted root a line.
    """

    paths: tuple[str, ...]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _roots: tuple[TrustedRoot, ...] = field(default=(), repr=False)

    def roots(self) -> tuple[TrustedRoot, ...]:
        """Return every trusted root. Raises `ConfigError` for a bad file."""
        with self._lock:
            if not self._roots:
                self._roots = tuple(root for path in self.paths for root in _read_roots(path))
            return self._roots


def _read_roots(path: str) -> list[TrustedRoot]:
    with _readable_file(path, "the trusted root", advice.CHECK_TRUSTED_ROOT()) as text:
        silence()
        try:
            decode_json(text, dict[str, Any])
        except ValueError:
            # Each line is a document of its own.
            lines = [line for line in text.splitlines() if line.strip()][:_MOST_ROOTS]
        else:
            lines = [text]
        roots = [_root(line) for line in lines]
        if not roots:
            msg = "it is empty"
            raise ValueError(msg)
        return roots


def _root(text: str) -> TrustedRoot:
    """Read one trusted root, or the one in a client trust config. Raises errors of many kinds."""
    from sigstore.models import ClientTrustConfig, TrustedRoot
    from sigstore_models.trustroot.v1 import TrustedRoot as Document

    document = decode_json(text, dict[str, Any])
    kind = str(document.get("mediaType", ""))
    if ClientTrustConfig.ClientTrustConfigType.CONFIG_0_1.value == kind:
        return ClientTrustConfig.from_json(text).trusted_root
    # The model requires lists that are left out if they are empty: GitHub has no logs.
    lists = dict.fromkeys(("tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"), ())
    root = TrustedRoot(Document.from_json(json.dumps({**lists, **document})))
    root.get_fulcio_certs()
    return root


@contextlib.contextmanager
def _readable_file(path: str, what: str, step: NextStep) -> Iterator[str]:
    """Give the text of a file. Raises `ConfigError` for everything that its readers raise for bad text."""
    try:
        with Path(path).open("rb") as stream:
            text = stream.read(_LIMIT).decode()
        yield text
    except FileNotFoundError:
        why = "there is no such file"
    except Exception as error:  # noqa: BLE001 - sigstore lets through those of its parsers
        why = f"it cannot be read: {clean(str(error).partition(chr(10))[0], 200) or type(error).__name__}"
    else:
        return
    raise ConfigError(f"{what}: {why}", where=path, next_step=step)


def _fetch(patience: float) -> ClientTrustConfig:
    """Get the config of the public instance: what it trusts changes, and each change is signed."""
    from sigstore._internal.tuf import DEFAULT_TUF_URL
    from sigstore.models import ClientTrustConfig

    return _by_tuf(ClientTrustConfig.production, "Sigstore", DEFAULT_TUF_URL, min(patience, _PATIENCE))


@dataclass(kw_only=True)
class GitHubTrust:
    """The keys with which GitHub signs what it says itself, fetched by TUF when they are first needed.

    ``first`` is the TUF root to begin with, the ninth. The third, which is in GitHub's own command (cli/cli), signs it.
    Whatever GitHub trusts now is signed by the holders of those keys, through any number of later roots.
    """

    url: str = "https://tuf-repo.github.com"
    first: Path = field(default_factory=lambda: Path(__file__).with_name("github-tuf-root.json"))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _roots: tuple[TrustedRoot, ...] = field(default=(), repr=False)

    def roots(self) -> tuple[TrustedRoot, ...]:
        """Return the trusted root. Raises `Unknown`, and `Denied` if it cannot be kept on this machine."""
        with self._lock:
            if not self._roots:
                self._roots = _by_tuf(self._fetch, "GitHub", self.url)
            return self._roots

    def _fetch(self) -> tuple[TrustedRoot, ...]:
        from sigstore._internal.tuf import TrustUpdater

        updater = TrustUpdater(self.url, bootstrap_root=self.first)
        return tuple(_read_roots(updater.get_trusted_root_path()))


def _by_tuf(fetch: Callable[[], T], whose: str, url: str, patience: float = _PATIENCE) -> T:
    """Call what fetches keys by TUF, within so many seconds. Raises `Unknown`, `Denied`."""
    from sigstore.errors import Error

    silence()
    try:
        return call_within(patience, fetch)
    except NoAnswer:
        what = f"{whose} did not give its trusted keys within {patience:g} s"
    except OSError as error:
        what = f"cannot keep {whose}'s trusted keys: {error.strerror}"
        other = Denied(what, where=str(error.filename or ""), next_step=advice.GRANT_PERMISSION(), retryable=True)
        raise from_os_error(error) or other from error
    except (Error, ValueError) as error:
        what = f"cannot get {whose}'s trusted keys: {_reason(error)}"
    raise failure(Cause.UNREACHABLE, what, where=url)


def _reason(error: BaseException) -> str:
    """Say why TUF failed, from the innermost error that says something."""
    reasons = []
    current: BaseException | None = error
    while current is not None:
        said = getattr(current, "strerror", None) or str(current).strip().partition("\n")[0]
        reasons.append(clean(said, 200) or type(current).__name__)
        current = current.__cause__ or current.__context__
    return reasons[-1]
