"""Make an environment of the job's own, which sees the packages and programs of the environment of the tests."""

import os
import platform
import sys
import sysconfig
import venv
from pathlib import Path

folder = Path(os.environ["RUNNER_TEMP"]) / "python"
venv.create(folder, symlinks=True)
base = sysconfig.get_path("purelib")
own = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
# What it installs itself comes first on the path.
(own / "prepared.pth").write_text(f"import site; site.addsitedir({base!r})\n")
for program in Path(sys.executable).parent.iterdir():
    copy = folder / "bin" / program.name
    if copy.exists() or copy.is_symlink() or not program.is_file():
        continue
    text = program.read_bytes()
    if text.startswith(b"#!") and b"python" in text.splitlines()[0]:
        copy.write_bytes(b"#!%s\n%s" % (os.fsencode(folder / "bin" / "python"), text.partition(b"\n")[2]))
        copy.chmod(0o755)
    else:
        copy.symlink_to(program)
with Path(os.environ["GITHUB_PATH"]).open("a") as stream:
    stream.write(f"{folder / 'bin'}\n")
with Path(os.environ["GITHUB_OUTPUT"]).open("a") as stream:
    stream.write(f"python-version={platform.python_version()}\n")
