"""The architecture of a Python is that of its wheels, not that of the machine."""

from __future__ import annotations

import platform

import pytest

from unmoor.adapters.process.architecture import architecture


@pytest.mark.parametrize(
    ("name", "machine", "expected"),
    [
        ("linux-x86_64", "x86_64", "x86_64"),
        ("linux-aarch64", "aarch64", "aarch64"),
        ("linux-riscv64", "riscv64", ""),
        ("win-amd64", "AMD64", "x86_64"),
        ("win-amd64", "ARM64", "x86_64"),
        ("win32", "AMD64", "x86"),
        ("win-arm64", "ARM64", "aarch64"),
        ("macosx-11.0-arm64", "arm64", "aarch64"),
        ("macosx-10.9-x86_64", "x86_64", "x86_64"),
        ("macosx-10.9-universal2", "arm64", "aarch64"),
        ("macosx-10.9-universal2", "x86_64", "x86_64"),
    ],
)
def test_architecture(monkeypatch: pytest.MonkeyPatch, name: str, machine: str, expected: str) -> None:
    """A Python of 32 bits, or one that runs in an emulation, is not what the processor is."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert architecture(name) == expected
