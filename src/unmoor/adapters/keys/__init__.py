"""Keys that sign: of ssh and of OpenPGP, each by its own program, which also talks to the agent of the user.

Begin with `open_key`. No library does the same: the private key may be in ssh-agent, in gpg-agent or on a card, and
only ssh-keygen and gpg reach all of them. python-gnupg would wrap the same program.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from unmoor.adapters.keys.gpg import GpgKey
from unmoor.adapters.keys.ssh import SshKey
from unmoor.ports.key_signer import KeySigner
from unmoor.ports.shell import Shell


def open_key(key: str, shell: Shell, folder: Path, environ: Mapping[str, str] | None = None) -> KeySigner:
    """The key that a setting names, ``ssh:FILE`` or ``gpg:KEYID``. A relative file is in ``folder``. Reads nothing."""
    given = os.environ if environ is None else environ
    kind, _, name = key.partition(":")
    if kind == "gpg":
        return GpgKey(shell=shell, environ=given, name=name)
    return SshKey(shell=shell, environ=given, name=name, folder=folder)
