"""Programs can read neither the variables nor the memory of the process that starts them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

assert sys.platform == "linux"  # only Linux has this

# A process with a secret, which then protects itself. It starts as another user if it can, since nothing is hidden from
# root, and shows what a program that it starts can read.
PROTECTED = """
import os, subprocess, sys
from unmoor.adapters.process.protection import protection
import ctypes, unmoor.adapters.process.variables
os.environ["LATER"] = "s3cret-later"
os.environ["CHANGED"] = "new"
if os.getuid() == 0 and sys.argv[2] == "user":
    try:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    except PermissionError:
        pass  # a root without capabilities, from which it is hidden too
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of the user hides a process too
if sys.argv[1] == "hidden":
    protection().hide(lambda name, value: name in {"PATH", "VISIBLE"})
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
print(os.environ["TOKEN"], libc.getenv(b"TOKEN").decode(), libc.getenv(b"CHANGED").decode(), flush=True)
subprocess.run(["/bin/sh", "-c", f"tr '\\\\0' '\\\\n' < /proc/{os.getpid()}/environ || echo unreadable"], cwd="/")
subprocess.run(["/bin/sh", "-c", f": < /proc/{os.getpid()}/mem && echo open memory"], cwd="/")
subprocess.run(["/bin/sh", "-c", "echo $TOKEN; test -r /proc/self/environ && echo it shows itself"],
    cwd="/", env={"TOKEN": "given on"})
"""


def shown(how: str, user: str) -> str:
    """What a process and the programs that it starts print."""
    env = {"PATH": os.defpath, "VISIBLE": "yes", "TOKEN": "s3cret", "CHANGED": "s3cret-old", "HOME": "/home/someone"}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", PROTECTED, how, user], env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    first, _, rest = ran.stdout.partition("\n")
    assert first == "s3cret s3cret new"  # for itself, nothing changes
    assert rest.endswith("given on\nit shows itself\n")  # nor for what it gives to others
    return rest + ran.stderr


def test_without_protection_everything_is_readable() -> None:
    """The tests below would notice a secret."""
    seen = shown("open", "user")
    assert "TOKEN=s3cret" in seen
    assert "open memory" in seen


def test_no_program_of_the_same_user_reads_it() -> None:
    """Neither the variables nor the memory of a protected process can be opened."""
    seen = shown("hidden", "user")
    assert "unreadable" in seen
    assert "s3cret" not in seen
    assert "open memory" not in seen


@pytest.mark.skipif(os.getuid() != 0, reason="what root can read")
def test_root_reads_no_secret_among_the_variables() -> None:
    """Root can read the variables that a process started with, but only public ones still have a value there."""
    lines = shown("hidden", "root").splitlines()
    if "unreadable" not in lines:  # root without the capability to trace processes
        assert "VISIBLE=yes" in lines
        assert "TOKEN=" in lines
    assert not [line for line in lines if "s3cret" in line or "someone" in line]


@pytest.mark.parametrize(
    ("block", "seen"),
    [
        (["TOKEN=first", "TOKEN=second"], "first"),
        (["=odd", "TOKEN=a=b"], "a=b"),
        (["NO_VALUE", "", "TOKEN="], ""),
        (["TOKEN=\udcff\udcfe"], "\udcff\udcfe"),
    ],
    ids=["a name twice", "no name", "no value", "other bytes"],
)
def test_odd_variables(block: list[str], seen: str) -> None:
    """What a shell would never set is hidden too, and stays what it is for this process."""
    code = (
        "import ctypes, os\nfrom unmoor.adapters.process.protection import protection\n"
        "protection().hide(lambda name, value: name == 'PATH')\n"
        "libc = ctypes.CDLL(None)\nlibc.getenv.restype = ctypes.c_char_p\n"
        "print(ascii(os.environ['TOKEN']), ascii(os.fsdecode(libc.getenv(b'TOKEN'))))\n"
        "print(open('/proc/self/environ', 'rb').read().replace(b'\\0', b'') if os.getuid() == 0 else '')"
    )
    start = (
        "import ctypes, os, sys\nlibc = ctypes.CDLL(None)\n"
        "def array(*texts):\n    return (ctypes.c_char_p * (len(texts) + 1))(*map(os.fsencode, texts), None)\n"
        "python = [sys.executable, '-P', '-c', sys.argv[1]]\n"
        "libc.execve(os.fsencode(sys.executable), array(*python), array(*eval(sys.argv[2])))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", start, code, ascii(["PATH=/bin", *block])], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    values, _, shown = ran.stdout.strip().partition("\n")
    assert values == f"{seen!a} {seen!a}"
    assert not any(text in shown for text in ("first", "second", "a=b", "xff"))
