"""A project that looks for credentials, plants modules and leaves daemons behind learns nothing, and leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, LocalRelease
from tests.support.systems import IS_ROOT

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]

# Looks for credentials wherever a program looks without knowing a path: its variables and those of its ancestors, its
# HOME, the places that settings lead to. Then it starts a daemon in some ways.
SPY = """
def spy(who):
    import json, os, subprocess, sys, time
    found = {}
    def note(name, read):
        try:
            found[name] = read()
        except (OSError, ValueError):
            pass
    def text(path):
        with open(path, "rb") as stream:
            return stream.read(100000).decode(errors="replace")
    found["environ"] = dict(os.environ)
    process = os.getppid()
    while process > 1:
        note(f"/proc/{process}/environ", lambda: text(f"/proc/{process}/environ"))
        note(f"/proc/{process}/cmdline", lambda: text(f"/proc/{process}/cmdline"))
        process = int(text(f"/proc/{process}/stat").rpartition(")")[2].split()[1])
    for folder, folders, names in os.walk(os.path.expanduser("~"), followlinks=False):
        for name in names:
            note(os.path.join(folder, name), lambda: text(os.path.join(folder, name)))
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "NETRC", "GIT_CONFIG_GLOBAL", "DOCKER_CONFIG"):
        if name in os.environ:
            note(name, lambda: text(os.environ[name]))
    for command in (["git", "config", "--list"], ["git", "credential", "fill"]):
        asked = "protocol=https\\nhost=example.org\\n\\n"
        quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        note(command[1], lambda: subprocess.run(command, input=asked, capture_output=True, text=True, env=quiet).stdout)
    daemons = f"{SEEN}/{who}-{os.getpid()}.daemon"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            os.dup2(1, 2)
            os.execve("/bin/sh", ["sh", "-c", f"echo $$ > {daemons}; while :; do sleep 0.1; done"], {})
        os._exit(0)
    os.wait()
    while not os.path.exists(daemons) or not text(daemons):
        time.sleep(0.01)
    with open(f"{SEEN}/{who}-{os.getpid()}.json", "w") as stream:
        json.dump(found, stream)
"""
SETTINGS = """
[project.scripts]
small = "small_one.plugin:main"
[tool.unmoor]
test-command = "python {project}/tests/check.py"
"""
FILES: Mapping[str, str] = {
    ".pypirc": "[pypi]\nusername = __token__\npassword = s3cret-pypirc\n",
    ".netrc": "machine example.org login someone password s3cret-netrc\n",
    ".gitconfig": "[user]\n\tname = A\n\temail = a@example.org\n"
    "[credential]\n\thelper = store\n[http]\n\textraHeader = s3cret\n",
    ".git-credentials": "https://someone:s3cret-git@example.org\n",
    ".docker/config.json": '{"auths": {"ghcr.io": {"auth": "s3cret-docker"}}}\n',
    ".config/gh/hosts.yml": "github.com:\n  oauth_token: s3cret-gh\n",
    ".config/pip/pip.conf": "[install]\nextra-index-url = https://someone:s3cret-pip@example.org/simple\n",
    ".config/uv/uv.toml": '[[index]]\nurl = "https://someone:s3cret-uv@example.org/simple"\n',
    ".cargo/credentials.toml": '[registry]\ntoken = "s3cret-cargo"\n',
}
VARIABLES: Mapping[str, str] = {
    "GITHUB_TOKEN": "s3cret-forge",
    "UNMOOR_PYPI_PASSWORD": "s3cret-pypi",
    "TWINE_PASSWORD": "s3cret-twine",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s3cret-oidc",
    "ACTIONS_RUNTIME_TOKEN": "s3cret-runtime",
    "AWS_SECRET_ACCESS_KEY": "s3cret-cloud",
    "UV_EXTRA_INDEX_URL": "https://someone:s3cret-index@example.org/simple",
    "NO_PROXY": "127.0.0.1",
    "SSH_AUTH_SOCK": "/s3cret/agent",
}


def hostile(folder: Path, seen: Path) -> Repo:
    """Make a project whose backend, modules, entry points and tests spy, and which has planted modules."""
    seen.mkdir()
    spying = f"SEEN = {str(seen)!r}\n{SPY}\n"
    files = sample_projects.files("small-one", "1.0", more=SETTINGS)
    files["own.py"] = spying + files["own.py"].replace(
        "    wheel = STEM", "    spy('wheel')\n    wheel = STEM"
    ).replace('    print("building an sdist"', "    spy('sdist')\n    print(\"building an sdist\"")
    files["src/small_one/__init__.py"] = spying + "spy('import')\n"
    files["src/small_one/plugin.py"] = "def main():\n    return 0\n"
    files["tests/check.py"] = spying + "import small_one\nspy('test')\n"
    files["CHANGELOG.md"] = CHANGELOG
    planted = f"open({str(seen / 'planted')!r}, 'a').write(__name__)\n"
    for name in ("msgspec", "click", "json", "uvicorn", "starlette", "sitecustomize"):
        files[f"{name}.py"] = planted
    repo = Repo.new(folder, files)
    repo.git("tag", "v1.0")
    return repo


def lives(process: int) -> bool:
    """Whether a process runs. A zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.only_on("linux")  # other systems have weaker guarantees
def test_a_rehearsal_of_a_project_that_spies(tmp_path: Path) -> None:
    """Its backend, its modules and its tests run, find no credential of the user, and end together with the run."""
    home = sample_projects.write_files(tmp_path / "home", dict(FILES))
    repo = hostile(tmp_path / "project", tmp_path / "seen")
    place = LocalRelease(repo=repo, world=repo.path, forks=False)
    # Nothing here has a dependency, so example.org is not asked.
    env = {**VARIABLES, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    ran = place.unmoor("rehearse", "v1.0", env=env)
    assert ran.returncode == 0, ran.stderr
    seen = {path.stem.partition("-")[0]: json.loads(path.read_text()) for path in (tmp_path / "seen").glob("*.json")}
    assert set(seen) == {"sdist", "wheel", "import", "test"}
    found = {f"{who}: {place}": str(text) for who, places in seen.items() for place, text in places.items()}
    assert [where for where, text in found.items() if "s3cret" in text] == []
    assert any(where.endswith("/environ") for where in found) or not IS_ROOT  # root can read them
    assert "user.name=A\nuser.email=a@example.org" in seen["test"]["config"]  # tests may make commits
    daemons = [int(path.read_text()) for path in (tmp_path / "seen").glob("*.daemon")]
    assert len(daemons) >= len(seen)
    assert [each for each in daemons if lives(each)] == []
    assert not (tmp_path / "seen" / "planted").exists()
