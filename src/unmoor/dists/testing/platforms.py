"""Say which modules and names are missing only because this platform, or this build of Python, does not have them.

Then an import that fails proves nothing about the file: it has to be tested on another platform.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from packaging.markers import Marker, default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor.dists.systems import excludes, includes
from unmoor.dists.testing.legs import leg_for
from unmoor.ports.environments import Interpreter

# Names that a module of the standard library has only on some platforms, as typeshed says, or families of such names.
NAMES_OF_SOME_PLATFORMS: Final[Mapping[str, str]] = {
    module: "|".join(patterns.split())
    for module, patterns in {
        "asyncio": "IocpProactor ProactorEventLoop Windows(Proactor|Selector)EventLoopPolicy [A-Za-z]*ChildWatcher",
        "ctypes": """
            Dll(CanUnloadNow|GetClassObject) FormatError GetLastError HRESULT OleDLL WINFUNCTYPE WinDLL WinError
            [gs]et_last_error oledll windll
        """,
        "locale": "[A-Z]+(_[A-Z0-9_]+)? (bind_?)?(d?c?get)?text(domain)?(_codeset)? nl_langinfo",
        "mmap": "(MADV|MAP|PROT)_[A-Z0-9_]+",
        "os": """
            (CLD|CLONE|EFD|EX|F|GRND|MFD|NGROUPS|O|PIDFD|POSIX|PRIO|P|RTLD|RWF|SCHED|SEEK|SPLICE|ST|TFD|XATTR)_[A-Z0-9_]+
            W[A-Z]+ add_dll_directory l?ch(flags|mod|own) chroot (conf|path|fpath|sys)conf(_names)? confstr(_names)?
            copy_file_range ctermid environb eventfd(_read|_write)? fch(dir|own) fdatasync fork(pty)? f?statvfs fwalk
            [gs]et(e?[gu]id|groups|p?gid|pgrp|priority|re[gu]id|res[gu]id|sid|xattr) get(envb|grouplist|loadavg|random)
            [gs]et_handle_inheritable grantpt initgroups killpg list(drives|mounts|volumes) (list|remove)xattr lockf
            login_tty major makedev memfd_create minor mkfifo mknod nice openpty pidfd_open pipe2 posix_\\w+ ptsname
            p?(read|write)v? register_at_fork sched_\\w+ sendfile setns spawnv?l?pe? splice startfile struct_rusage sync
            tc[gs]etpgrp timerfd_\\w+ ttyname uname unlockpt unshare wait(3|4|id|id_result)?
        """,
        "select": "(EPOLL|KQ_|POLL)[A-Z0-9_]+ PIPE_BUF devpoll epoll kevent kqueue poll",
        "signal": """
            CTRL_(BREAK|C)_EVENT ITIMER_[A-Z]+ ItimerError SIG[A-Z0-9]+ SIG_(BLOCK|SETMASK|UNBLOCK) Sigmasks alarm
            [gs]etitimer pause pidfd_send_signal pthread_(kill|sigmask) sig(interrupt|pending|timedwait|wait|waitinfo)
            struct_siginfo
        """,
        "socket": "[A-Z][A-Z0-9]*_[A-Z0-9_]+ (recv|send)_fds sethostname errorTab fromshare",
        "subprocess": "[A-Z]+(_[A-Z]+)+ STARTUPINFO",
        "sys": "abiflags dllhandle [gs]etdlopenflags getwindowsversion winver",
        "time": "CLOCK_[A-Z_]+ clock_(get|set)(res|time)(_ns)? pthread_getcpuclockid tzset",
    }.items()
}
_WINDOWS: Final = re.compile(
    r"winreg|_winreg|_winapi|msvcrt|winsound|nt|msilib|_msi|_overlapped|asyncio\.(windows_\w+|Iocp\w+|Proactor\w+"
    r"|Windows\w+)|ctypes\..+|os\.(startfile|add_dll_directory|O_(BINARY|TEXT))|signal\.(CTRL_\w+|SIGBREAK)"
    r"|subprocess\..+|sys\.(dllhandle|getwindowsversion|winver)"
)
"""What only Windows has of the standard library: modules, and names in one."""
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


def marker_of_absent(absent: str, environment: Mapping[str, str]) -> str:
    """The marker (PEP 508) for the platforms that have something of the standard library, as far as its name tells.

    ``environment`` are the variables of an interpreter that does not have it.
    """
    of_windows = "sys_platform == 'win32'"
    if _WINDOWS.fullmatch(absent) and not _is_true(Marker(of_windows), {**environment, "extra": ""}):
        return of_windows
    return f"sys_platform != '{environment.get('sys_platform', '')}'"


def leg_of_marker(text: str) -> str:
    """Say which job would try what a marker (PEP 508) is for, as `leg_for` does; empty if it is none of those."""
    marker = Marker(text)
    wheels = {"win32": "win_amd64", "darwin": "macosx_11_0_arm64", "linux": "linux_x86_64"}
    systems = {each["sys_platform"] for each in _PLATFORMS if _is_true(marker, {**each, "extra": ""})}
    return next((leg_for(wheels[system]) for system in wheels if system in systems), "")


def foreign(classifiers: Sequence[str], python: Interpreter) -> str:
    """Say why nothing is tested on this platform, if a project's classifiers leave it out; empty if they do not."""
    here = marker_environment(python)["sys_platform"]
    if not excludes(here, classifiers):
        return ""
    other = next((each for each in ("win32", "darwin", "linux") if includes(each, classifiers)), "")
    leg = leg_of_marker(f"sys_platform == '{other}'")
    return "not tested on this platform: the project's classifiers name others" + (
        f"; {leg} would test it" if leg else ""
    )


def supplier_elsewhere(module: str, requires: Iterable[str], environment: Mapping[str, str]) -> Requirement | None:
    """Return the requirement that supplies a module on another platform, and that its marker switches off here.

    ``environment`` are the variables of the interpreter. ``None`` if there is none. A requirement of another version of
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
            return wanted
    return None


def _is_true(marker: Marker, environment: dict[str, str]) -> bool:
    try:
        return marker.evaluate(environment)
    except ValueError:  # a comparison that is not defined
        return False


def only_on(module: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The platform that a well-known module exists on: its ``sys_platform``, and its name for people such as ``macOS``.

    Both are empty if it is none, or that of the interpreter, whose variables are ``environment``.
    """
    here = environment.get("sys_platform", "")
    platforms = ((key, name) for key, (name, modules) in _ONLY_ON.items() if key != here and modules.fullmatch(module))
    return next(platforms, ("", ""))


def supplies(package: str, module: str) -> bool:
    """Whether a package has a top-level module, as far as their names tell."""
    name, wanted = canonicalize_name(package), canonicalize_name(module)
    bare = re.sub(r"^python-|^py-?(?=[a-z])|-python$|-?py$|\d+$", "", name)
    if wanted in {name, bare}:
        return True
    if (pattern := _MODULES.get(name)) is not None:
        return re.fullmatch(pattern, module) is not None
    return name.startswith(_FRAMEWORK) and wanted == name.removeprefix(_FRAMEWORK)
