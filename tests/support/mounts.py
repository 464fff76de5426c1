"""File systems that are really mounted: mounting needs root, and a FUSE program for the one that ignores case.

Tests that use them are not collected where they cannot be mounted. Under CI=true apt installs the program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

EXFAT: Final = ("mkfs.exfat", "mount.exfat-fuse")
PACKAGES: Final = ("exfatprogs", "exfat-fuse")


def _run(*command: str | Path) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    if ran.returncode:
        raise RuntimeError(f"{command}: {ran.stdout}{ran.stderr}")
    return ran.stdout.strip()


def can_mount() -> bool:
    """Whether this user may mount file systems: containers often allow it to nobody."""
    if not shutil.which("mount"):
        return False
    with TemporaryDirectory() as folder:
        try:
            _run("mount", "-t", "tmpfs", "tmpfs", folder)
            _run("umount", folder)
        except RuntimeError:
            return False
    return True


def can_mount_exfat() -> bool:
    """Whether a file system that ignores case can be mounted, here or after a program is installed."""
    if not (Path("/dev/fuse").exists() and shutil.which("losetup")):
        return False
    return all(map(shutil.which, EXFAT)) or bool(os.environ.get("CI") == "true" and shutil.which("apt-get"))


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[Path]:
    """Mount an empty file system in memory."""
    _run("mount", "-t", "tmpfs", "-o", f"size=64m,{options}", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", "--lazy", folder)


def make_read_only(folder: Path) -> None:
    """Forbid writes to a mounted file system."""
    _run("mount", "-o", "remount,ro", folder)


@contextmanager
def exfat(folder: Path) -> Iterator[Path]:
    """Mount an empty exFAT, which ignores case, has no permissions and no links: as a USB stick, or /mnt/c in WSL."""
    if not all(map(shutil.which, EXFAT)):
        wait = ("-o", "DPkg::Lock::Timeout=120")
        _run("apt-get", "-q", "-y", *wait, "update")
        _run("apt-get", "-q", "-y", *wait, "install", "--no-install-recommends", *PACKAGES)
    image = folder.with_name(f"{folder.name}.image")
    with image.open("wb") as stream:
        stream.truncate(64 << 20)
    _run("mkfs.exfat", image)
    device = _run("losetup", "--find", "--show", image)
    try:
        _run("mount.exfat-fuse", device, folder)
        try:
            yield folder
        finally:
            _run("umount", "--lazy", folder)
    finally:
        _run("losetup", "--detach", device)
