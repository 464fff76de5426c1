"""A build context has the commit's files and the tested wheels, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.image_stages import demo_release

from unmoor.errors import ConfigError
from unmoor.images.build_context import BuildContext, context_size, prepare, wheels_for
from unmoor.images.dockerfile import Dockerfile
from unmoor.products import Dists, File, Release
from unmoor.util.values import replace

RELEASE = demo_release("1.0")
DOCKERFILE = Dockerfile.parse(b"FROM scratch\n", "Dockerfile")


def wheel(name: str, folder: Path = Path()) -> File:
    """Return a wheel; if there is a folder, write it with one byte."""
    if folder != Path():
        (folder / name).write_bytes(b"x")
    return File(name=name, sha256="0" * 64, size=1, path=folder / name)


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux/amd64", ["any", "amd64", "musl", "old"]),
        ("linux/arm64", ["any", "arm64"]),
        ("linux/386", ["any", "386"]),
        ("linux/arm/v7", ["any", "arm"]),
        ("linux/s390x", ["any", "s390x"]),
    ],
)
def test_wheels_by_platform(platform: str, expected: list[str]) -> None:
    """Pure wheels fit every platform, others those in their tags."""
    tags = {
        "any": "py3-none-any",
        "amd64": "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "musl": "cp311-cp311-musllinux_1_2_x86_64",
        "old": "cp311-cp311-linux_x86_64",
        "arm64": "cp311-cp311-manylinux_2_28_aarch64",
        "386": "cp311-cp311-manylinux_2_17_i686",
        "arm": "cp311-cp311-manylinux_2_31_armv7l",
        "s390x": "cp311-cp311-manylinux_2_28_s390x",
        "mac": "cp311-cp311-macosx_11_0_arm64",
        "mac64": "cp311-cp311-macosx_11_0_x86_64",
        "windows": "cp311-cp311-win_amd64",
    }
    dists = Dists(files=tuple(wheel(f"demo-1.0-{tag}.whl") for tag in tags.values()))
    names = {f"demo-1.0-{tag}.whl": name for name, tag in tags.items()}
    assert [names[each.name] for each in wheels_for(dists, platform)] == expected


def cloned(folder: Path, files: dict[str, str]) -> Path:
    """A folder as a clone leaves it."""
    for name, text in {".git/HEAD": "x", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_contents(tmp_path: Path) -> None:
    """``dist/`` is replaced, history is removed, modes and times are the commit's."""
    tree = cloned(tmp_path / "tree", {"dist/old.whl": "x", "a/run": "x"})
    (tree / "a/run").chmod(0o700)
    (tree / "link").symlink_to("nowhere")
    context = prepare(tree, [wheel("x-1-py3-none-any.whl", tmp_path)], DOCKERFILE, release=RELEASE, history=False)
    assert context.warnings == ()
    tree = context.folder
    assert sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*")) == [
        "a",
        "a/run",
        "dist",
        "dist/x-1-py3-none-any.whl",
        "link",
    ]
    assert (tree / "a/run").stat().st_mode & 0o777 == 0o755
    assert {path.lstat().st_mtime for path in tree.rglob("*")} == {1_700_000_000}


def test_the_folder_is_named_by_its_content(tmp_path: Path) -> None:
    """Builders may reuse files from a folder of the same name, so other content gets another name."""

    def name(number: int, *wheels: File, release: Release = RELEASE, history: bool = False) -> str:
        tree = cloned(tmp_path / str(number) / "tree", {})
        return prepare(tree, wheels, DOCKERFILE, release=release, history=history).folder.name

    one = wheel("x-1-py3-none-any.whl", tmp_path)
    assert name(0, one) == name(1, one)
    others = [
        name(2, one),
        name(3),
        name(4, replace(one, sha256="1" * 64)),
        name(5, one, history=True),
        name(6, one, release=replace(RELEASE, commit="1" * 40)),
        name(7, one, release=replace(RELEASE, project="other")),
    ]
    assert len(set(others)) == len(others)


def test_history_can_be_kept(tmp_path: Path) -> None:
    """A build that reads its version from git needs it."""
    tree = cloned(tmp_path / "tree", {})
    assert (prepare(tree, [], DOCKERFILE, release=RELEASE, history=True).folder / ".git/HEAD").exists()


def test_dist_is_not_a_folder(tmp_path: Path) -> None:
    """A file or a link of that name is replaced, and nothing outside is touched."""
    for name in ("file", "link"):
        tree = cloned(tmp_path / name / "tree", {})
        if name == "file":
            (tree / "dist").write_text("x")
        else:
            (tree / "dist").symlink_to(tmp_path)
        wheels = [wheel("x-1-py3-none-any.whl", tmp_path)]
        tree = prepare(tree, wheels, DOCKERFILE, release=RELEASE, history=False).folder
        assert [path.name for path in (tree / "dist").iterdir()] == ["x-1-py3-none-any.whl"]
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("name", "text", "warned"),
    [
        (".dockerignore", "dist\n", True),
        (".dockerignore", "# comment\n\n  dist/ \n", True),
        (".dockerignore", "*\n!src\n", True),
        (".dockerignore", "**/*.whl\n", True),
        (".dockerignore", "build\n*.pyc\n", False),
        (".dockerignore", "dist\n!dist\n", False),
        ("Dockerfile.dockerignore", "dist\n", True),
    ],
)
def test_an_ignore_file_that_hides_dist_is_overridden_with_a_warning(
    tmp_path: Path, name: str, text: str, *, warned: bool
) -> None:
    """Without the wheels the build would fail, or install something else."""
    tree = cloned(tmp_path / "tree", {name: text})
    context = prepare(tree, [], DOCKERFILE, release=RELEASE, history=False)
    assert len(context.warnings) == warned
    assert all(name in warning for warning in context.warnings)
    again = prepare(context.folder, [], DOCKERFILE, release=RELEASE, history=False)
    assert again.warnings == ()


@pytest.mark.parametrize("link", ["docker", "docker/Dockerfile.dockerignore", ".dockerignore"])
def test_an_ignore_file_outside_is_not_written(tmp_path: Path, link: str) -> None:
    """A link in the commit that leads out of the context is not followed to write there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "Dockerfile.dockerignore").write_text("dist\n")
    tree = cloned(tmp_path / "tree", {"a": "x"})
    (tree / link).parent.mkdir(exist_ok=True)
    (tree / link).symlink_to(outside if link == "docker" else outside / "Dockerfile.dockerignore")
    dockerfile = Dockerfile.parse(b"FROM scratch\n", "docker/Dockerfile")
    prepare(tree, [], dockerfile, release=RELEASE, history=False)
    assert (outside / "Dockerfile.dockerignore").read_text() == "dist\n"


def test_size(tmp_path: Path) -> None:
    """Ignored files do not count; above the limit the error names the largest entries."""
    tree = cloned(tmp_path / "tree", {"big/a": "x" * 3000, "big/b": "x" * 3000, "ignored/c": "x" * 9000, "small": "x"})
    (tree / ".dockerignore").write_text("ignored\n.git\n")
    context = BuildContext(folder=tree, warnings=())
    assert context_size(context, DOCKERFILE, 7000) == 6001 + len("ignored\n.git\n")
    with pytest.raises(ConfigError, match=r"6014 bytes, but the limit is 1000; the largest: big \(0.0 MB\)"):
        context_size(context, DOCKERFILE, 1000)
