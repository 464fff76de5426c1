"""Install a wheel with pip's own function, in a third of the time that ``pip install`` takes.

pip refuses some wheels that uv installs, and most users have pip. Two thirds of the time of its command go into
importing what asks indexes and draws progress bars, which no wheel needs that is installed without dependencies. So the
program below calls what the command ends in. ``pip._internal`` is not an interface: pip has an upper bound among the
dependencies, and a function that is not as expected means that the wheel was not tried, not that it is wrong.

installer, the library, is no substitute: poetry and pdm use it, and it accepts what pip refuses.
"""

from __future__ import annotations

from pathlib import Path

NOT_TRIED = 3
"""The exit code of the program if this pip cannot be used. It prints why."""

_PROGRAM = """
import sys

place, wheel, name, folder = sys.argv[1:]
sys.path.append(place)
try:
    import inspect
    import os
    from pip._internal.models.scheme import Scheme
    from pip._internal.operations.install.wheel import install_wheel

    scheme = Scheme(
        platlib=os.path.join(folder, "lib"),
        purelib=os.path.join(folder, "lib"),
        headers=os.path.join(folder, "include"),
        scripts=os.path.join(folder, "scripts"),
        data=folder,
    )
    call = inspect.signature(install_wheel).bind(
        name=name,
        wheel_path=wheel,
        scheme=scheme,
        req_description=name,
        pycompile=False,
        warn_script_location=False,
    )
except (ImportError, SyntaxError, TypeError, ValueError) as error:
    print(type(error).__name__ + ": " + str(error), file=sys.stderr)
    sys.exit(3)
try:
    install_wheel(*call.args, **call.kwargs)
except Exception as error:
    sys.exit(type(error).__name__ + ": " + str(error))
"""


def pip_arguments(python: Path, wheel: Path, name: str, folder: Path) -> list[str]:
    """The command that installs a wheel of a project into a folder that does not exist yet, with unmoor's own pip.

    ``python`` is the interpreter that runs it. pip's folder comes last on its path, so that nothing of unmoor shadows
    the standard library.
    """
    import pip

    place = Path(pip.__file__).parent.parent
    return [str(python), "-I", "-S", "-c", _PROGRAM, str(place), str(wheel), name, str(folder)]
