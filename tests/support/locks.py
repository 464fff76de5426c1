"""Locks of uv as text."""

from __future__ import annotations

HEAD = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'


def lock_of(*packages: str, head: str = HEAD) -> bytes:
    """A lock with packages such as ``idna 3.6``, all from one index."""
    entries = [
        f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
        'source = { registry = "https://index.example/simple" }\n'
        f'wheels = [{{ url = "https://files.example/{name}-{version}-py3-none-any.whl", hash = "sha256:00",'
        f' upload-time = "2025-03-04T05:06:07Z" }}]\n'
        for name, _, version in (each.partition(" ") for each in packages)
    ]
    own = '\n[[package]]\nname = "demo"\nversion = "1"\nsource = { editable = "." }\n'
    return "".join((head, own, *entries)).encode()
