"""Clone a remote into the folder of a job, as actions/checkout does: a tag detached, a branch by its name.

A token stays in the clone's configuration unless the workflow says otherwise, so that hostile code would find it.
"""

import os
import subprocess


def git(*args: str) -> None:
    """Run git in the folder of the job."""
    subprocess.run(["git", *args], check=True)  # noqa: S607


remote, ref = f"file://{os.environ['REMOTE']}", os.environ["REF"] or os.environ["GITHUB_REF"]
depth = [] if os.environ["DEPTH"] == "0" else [f"--depth={os.environ['DEPTH']}"]
everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
only = f"+{ref}:{ref.replace('refs/heads/', 'refs/remotes/origin/')}"
wanted = [only] if depth else everything
git("init", "--quiet", "--initial-branch=main", ".")
git("remote", "add", "origin", remote)
git("fetch", "--quiet", "--no-tags", *depth, "origin", *wanted)
commit = os.environ["GITHUB_SHA"] if not os.environ["REF"] else ref
if ref.startswith("refs/heads/"):
    git("checkout", "--quiet", "-B", ref.removeprefix("refs/heads/"), commit)
else:
    git("checkout", "--quiet", "--detach", commit)
if os.environ["PERSIST"] == "true":
    git("config", "http.extraheader", f"AUTHORIZATION: bearer {os.environ['TOKEN']}")
