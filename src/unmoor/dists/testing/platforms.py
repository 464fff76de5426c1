"""Say which modules and names are missing only because this platform, or this build of Python, does not have them.

Then an import that fails proves nothing about the file: it has to be tested on another platform.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from packaging.markers import Marker, default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor.ports.environments import Interpreter

# Names that a module of the standard library has only on some platforms, as its documentation says.
_SOME: Final = {
    "asyncio": "IocpProactor ProactorEventLoop WindowsProactorEventLoopPolicy WindowsSelectorEventLoopPolicy",
    "ctypes": """
        DllCanUnloadNow DllGetClassObject FormatError GetLastError HRESULT OleDLL WINFUNCTYPE WinDLL WinError
        get_last_error oledll set_last_error windll
    """,
    "os": """
        O_BINARY O_EXLOCK O_NOINHERIT O_RANDOM O_SEQUENTIAL O_SHORT_LIVED O_TEMPORARY O_TEXT P_DETACH P_OVERLAY
        add_dll_directory chflags eventfd get_handle_inheritable lchflags memfd_create pidfd_open sched_getaffinity
        sched_setaffinity set_handle_inheritable setns splice startfile unshare
    """,
    "select": "EPOLLIN EPOLLOUT KQ_EV_ADD KQ_FILTER_READ devpoll epoll kevent kqueue",
    "signal": "CTRL_BREAK_EVENT CTRL_C_EVENT SIGBREAK SIGEMT SIGINFO SIGPWR SIGSTKFLT",
    "socket": """
        AF_ALG AF_NETLINK AF_PACKET AF_SYSTEM AF_VSOCK SIO_LOOPBACK_FAST_PATH SIO_RCVALL SO_EXCLUSIVEADDRUSE
    """,
    "subprocess": """
        ABOVE_NORMAL_PRIORITY_CLASS BELOW_NORMAL_PRIORITY_CLASS CREATE_NEW_CONSOLE CREATE_NEW_PROCESS_GROUP
        CREATE_NO_WINDOW DETACHED_PROCESS HIGH_PRIORITY_CLASS IDLE_PRIORITY_CLASS STARTF_USESHOWWINDOW
        STARTF_USESTDHANDLES STARTUPINFO SW_HIDE
    """,
    "sys": "dllhandle getwindowsversion winver",
}
NAMES_OF_SOME_PLATFORMS: Final[Mapping[str, tuple[str, ...]]] = {
    module: tuple(names.split()) for module, names in _SOME.items()
}
# Packages of one platform whose modules have other names.
_MODULES: Final[Mapping[str, str]] = {
    "pywin32": r"_?win32\w*|_?winxp\w*|py(thoncom|wintypes|thonwin)|win(error|nt|ioctlcon|perf)|servicemanager|dde"
    r"|adodbapi|isapi|mmapfile|odbc|perfmon|timer|commctrl|regutil|rasutil|sspi\w*|ntsecuritycon",
    "pypiwin32": r"win32\w*|py(thoncom|wintypes)",
    "pywin32-ctypes": r"win32ctypes",
    "pyobjc-core": r"objc|PyObjCTools",
    "pyobjc": r"objc|PyObjCTools|[A-Z]\w+",
    "pyobjc-framework-cocoa": r"AppKit|Cocoa|CoreFoundation|Foundation|PyObjCTools",
    "pyobjc-framework-applicationservices": r"ApplicationServices|HIServices|PrintCore",
    "pythonnet": r"clr|clr_loader|Python",
    "pygobject": r"gi",
    "pyreadline3": r"readline|pyreadline3",
    "windows-curses": r"_?curses\w*",
}
# Modules of one platform that people often do not declare, because they came with Python or its installer there.
_ONLY_ON: Final[Mapping[str, tuple[str, re.Pattern[str]]]] = {
    "win32": (
        "Windows",
        re.compile(
            r"win32(api|clipboard|com\w*|con|event|file|gui|pipe|process|service\w*|security|ui)|"
            r"pythoncom|pywintypes|win32ctypes|winrt|winsdk"
        ),
    ),
    "darwin": (
        "macOS",
        re.compile(
            r"AppKit|AVFoundation|Cocoa|Core(Bluetooth|Foundation|Graphics|Location|Media|Services"
            r"|Text|WLAN)|EventKit|FSEvents|Foundation|LaunchServices|objc|PyObjCTools|Quartz"
            r"|ScriptingBridge|SystemConfiguration|UserNotifications|WebKit"
        ),
    ),
}
_FRAMEWORK: Final = "pyobjc-framework-"
# Other platforms, as the variables of markers that differ there.
_PLATFORMS: Final = tuple(
    {
        "sys_platform": platform,
        "os_name": os_name,
        "platform_system": system,
        "platform_machine": machine,
        "platform_python_implementation": implementation,
        "implementation_name": implementation.lower(),
    }
    for platform, os_name, system in (
        ("linux", "posix", "Linux"),
        ("darwin", "posix", "Darwin"),
        ("win32", "nt", "Windows"),
        ("cygwin", "posix", "CYGWIN"),
    )
    for machine in ("x86_64", "AMD64", "arm64", "aarch64", "i686")
    for implementation in ("CPython", "PyPy")
)


def marker_environment(python: Interpreter) -> dict[str, str]:
    """The variables of markers (PEP 508) for an interpreter on this machine.

    Those of the one that runs unmoor, but for the version.
    """
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "extra": "",
        "python_full_version": python.version,
        "python_version": ".".join(python.version.split(".")[:2]),
    }


def supplier_elsewhere(module: str, requires: Iterable[str], environment: Mapping[str, str]) -> str:
    """Return the requirement that supplies a module on another platform, and that its marker switches off here.

    ``environment`` are the variables of the interpreter. Empty if there is none. A requirement of another version of
    Python does not count: the module should be there.
    """
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue  # the check of the metadata reports it
        marker = wanted.marker
        if marker is None or not supplies(wanted.name, module):
            continue
        extras = ("", *re.findall(r"extra\s*==\s*[\"']([^\"']+)[\"']", str(marker)))
        here = any(_is_true(marker, {**environment, "extra": extra}) for extra in extras)
        elsewhere = (
            _is_true(marker, {**environment, **other, "extra": extra}) for other in _PLATFORMS for extra in extras
        )
        if not here and any(elsewhere):
            return str(wanted)
    return ""


def _is_true(marker: Marker, environment: dict[str, str]) -> bool:
    try:
        return marker.evaluate(environment)
    except ValueError:  # a comparison that is not defined
        return False


def only_on(module: str, environment: Mapping[str, str]) -> str:
    """The platform that a well-known module exists on, such as ``macOS``; empty if it is none, or that of a proof.

    ``environment`` are the variables of the interpreter.
    """
    here = environment.get("sys_platform", "")
    platforms = (name for key, (name, modules) in _ONLY_ON.items() if key != here and modules.fullmatch(module))
    return next(platforms, "")


def supplies(package: str, module: str) -> bool:
    """Whether a package has a top-level module, as far as their names tell."""
    name, wanted = canonicalize_name(package), canonicalize_name(module)
    bare = re.sub(r"^python-|^py-?(?=[a-z])|-python$|-?py$|\d+$", "", name)
    if wanted in {name, bare}:
        return True
    if (pattern := _MODULES.get(name)) is not None:
        return re.fullmatch(pattern, module) is not None
    return name.startswith(_FRAMEWORK) and wanted == name.removeprefix(_FRAMEWORK)
