"""Which environment variables programs get: the project's code an allow-list without logins, unmoor's own tools more.

The project's code is its build backend, its tests, and everything that is imported from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from unmoor.adapters.process.system import this_system
from unmoor.ports.system import MACOS, WINDOWS, System

# Where programs are, the language, and how to reach the network.
_COMMON: Final = """
PATH USER LOGNAME LANG LANGUAGE TMPDIR TZ CI
SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT UV_SYSTEM_CERTS UV_NATIVE_TLS
NIX_SSL_CERT_FILE
HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
"""
_BUILDING: Final = """
PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_TRUSTED_HOST PIP_NO_INDEX PIP_CONSTRAINT PIP_DEFAULT_TIMEOUT
UV_INDEX UV_INDEX_URL UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_NO_INDEX UV_INDEX_STRATEGY UV_INSECURE_HOST
UV_CONSTRAINT UV_EXCLUDE_NEWER UV_OFFLINE UV_HTTP_TIMEOUT UV_HTTP_RETRIES UV_LINK_MODE
UV_CACHE_DIR UV_NO_CACHE UV_PYTHON_INSTALL_DIR
UV_CONCURRENT_DOWNLOADS UV_CONCURRENT_BUILDS UV_CONCURRENT_INSTALLS
CC CXX CPP LD AR RANLIB CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LDSHARED ARCHFLAGS MACOSX_DEPLOYMENT_TARGET SDKROOT
PKG_CONFIG PKG_CONFIG_PATH LD_LIBRARY_PATH LIBRARY_PATH CPATH C_INCLUDE_PATH CMAKE_PREFIX_PATH MAKEFLAGS
RUSTUP_HOME RUSTUP_TOOLCHAIN RUSTFLAGS GOPATH GOCACHE GOFLAGS JAVA_HOME
PYENV_ROOT ASDF_DATA_DIR VOLTA_HOME NVM_DIR
"""
# Where a user's settings, stored logins and caches are.
_PERSONAL: Final = """
HOME XDG_CACHE_HOME XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME PIP_CONFIG_FILE UV_CONFIG_FILE CARGO_HOME
"""
# What programs of Windows need to run at all, and Visual C++ to be found. Each is the same for all users, or names
# where temporary files go.
_WINDOWS_COMMON: Final = """
SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT OS TEMP TMP USERNAME USERDOMAIN COMPUTERNAME
PROGRAMDATA ALLUSERSPROFILE PUBLIC PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432
COMMONPROGRAMFILES COMMONPROGRAMFILES(X86) COMMONPROGRAMW6432 DRIVERDATA
NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE PROCESSOR_ARCHITEW6432 PROCESSOR_IDENTIFIER PROCESSOR_LEVEL
PROCESSOR_REVISION PSMODULEPATH
"""
_WINDOWS_BUILDING: Final = """
INCLUDE LIB LIBPATH CL _CL_ LINK _LINK_ DISTUTILS_USE_SDK MSSDK VCINSTALLDIR VCTOOLSINSTALLDIR VCTOOLSVERSION
VCTOOLSREDISTDIR VSINSTALLDIR VISUALSTUDIOVERSION VSCMD_ARG_HOST_ARCH VSCMD_ARG_TGT_ARCH VSCMD_VER DEVENVDIR
WINDOWSSDKDIR WINDOWSSDKVERSION WINDOWSSDKBINPATH WINDOWSSDKLIBVERSION WINDOWSLIBPATH WINDOWSSDKVERBINPATH
UCRTVERSION UNIVERSALCRTSDKDIR EXTENSIONSDKDIR FRAMEWORKDIR FRAMEWORKVERSION PYENV PYENV_HOME VCPKG_ROOT
"""
_WINDOWS_PERSONAL: Final = "USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA"
_OF_PROJECT: Final = frozenset(f"{_COMMON} {_BUILDING}".split())
_OF_TOOLS: Final = frozenset(f"{_COMMON} {_BUILDING} {_PERSONAL}".split())
# What unmoor's own servers need besides: an engine, and the settings of git and of Python that decide nothing else.
_SERVING: Final = """
DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION XDG_RUNTIME_DIR
GIT_EXEC_PATH GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_NOSYSTEM
PYTHONPATH PYTHONUSERBASE PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
"""
_OF_SERVERS: Final = frozenset(f"{_COMMON} {_PERSONAL} {_SERVING}".split())
# What each list has on Windows besides.
_MORE_ON_WINDOWS: Final = {
    _OF_PROJECT: frozenset(f"{_WINDOWS_COMMON} {_WINDOWS_BUILDING}".split()),
    _OF_TOOLS: frozenset(f"{_WINDOWS_COMMON} {_WINDOWS_BUILDING} {_WINDOWS_PERSONAL}".split()),
    _OF_SERVERS: frozenset(f"{_WINDOWS_COMMON} {_WINDOWS_PERSONAL}".split()),
}
_OF_KEYRINGS: Final = re.compile(
    r"DBUS_SESSION_BUS_ADDRESS$|XDG_RUNTIME_DIR$|DISPLAY$|(PYTHON_)?KEYRING_|(AWS|AZURE|ARTIFACTS|CLOUDSDK|GOOGLE)_"
)
_PROXIES: Final = re.compile(r"(?:https?|all)_proxy", re.IGNORECASE)

# What stands between "://" and the last "@" before the path. A password may hold an unescaped "/": then the part
# before it ends in a port that is none.
_LOGIN: Final = re.compile(r"(?<=://)(?:[^/?#\s]*|[^/?#\s:]*:(?!\d*(?:[/?#\s]|$))\S*)@")
_LOGIN_OF_PROXY: Final = re.compile(r"^[^/?#\s]*@")
# A setting such as "proxy = user:password@host:3128", in the formats of pip, npm, uv and cargo.
_PROXY_SETTING: Final = re.compile(
    r"^([^\n=:#]*proxy[\"']?[ \t]*[=:][ \t]*[\"']?)[^/?#\s\"']*@", re.IGNORECASE | re.MULTILINE
)


def project_variables(environ: Mapping[str, str], system: System | None = None) -> dict[str, str]:
    """Return the variables that the project's code may see: an allow-list, with the logins taken out of addresses.

    There is no HOME among them; see `unmoor.adapters.process.home`. ``system`` is this one by default.
    """
    return {name: without_logins(name, value) for name, value in _listed(environ, _OF_PROJECT, system).items()}


def tool_variables(environ: Mapping[str, str], *, logins: bool = False, system: System | None = None) -> dict[str, str]:
    """Return the variables for programs of ours that run no code of the project: they find the user's settings.

    Code of the project that runs at the same time may read them. So addresses keep their ``logins`` only for a program
    that needs them.
    """
    found = _listed(environ, _OF_TOOLS, system)
    return found if logins else {name: without_logins(name, value) for name, value in found.items()}


def server_variables(environ: Mapping[str, str], system: System | None = None) -> dict[str, str]:
    """Return the variables for servers of a rehearsal: no credential is among them."""
    return {name: without_logins(name, value) for name, value in _listed(environ, _OF_SERVERS, system).items()}


def keyring_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for the program ``keyring``, which may look up a login in a desktop or in a cloud."""
    return tool_variables(environ) | {name: value for name, value in environ.items() if _OF_KEYRINGS.match(name)}


def is_public(name: str, value: str) -> bool:
    """Whether the project's code gets this variable with this value anyway."""
    return bool(_listed({name: value}, _OF_PROJECT)) and without_logins(name, value) == value


def without_logins(name: str, value: str) -> str:
    """Return the value of a variable with user names and passwords taken out of its addresses."""
    if _PROXIES.fullmatch(name):
        value = _LOGIN_OF_PROXY.sub("", value)  # curl and others take a proxy without a scheme
    return no_logins(value)


def no_logins(text: str) -> str:
    """Return a text, or a file of settings, with user names and passwords taken out of the addresses in it."""
    return _PROXY_SETTING.sub(r"\1", _LOGIN.sub("", text))


def utf8_variables(system: System | None = None) -> dict[str, str]:
    """Return the variables with which Python and other programs read and write text files as UTF-8.

    macOS has no ``C.UTF-8``. On Windows, Python does not look at ``LC_ALL``.
    """
    system = system or this_system()
    if system == WINDOWS:
        return {"PYTHONUTF8": "1"}
    return {"LC_ALL": "en_US.UTF-8" if system == MACOS else "C.UTF-8"}


def windows_variables(environ: Mapping[str, str], system: System | None = None) -> dict[str, str]:
    """Return the variables without which programs of the user do not run on Windows; none on another system."""
    if (system or this_system()) != WINDOWS:
        return {}
    needed = frozenset(f"{_WINDOWS_COMMON} {_WINDOWS_PERSONAL}".split())
    return {name: value for name, value in environ.items() if name.upper() in needed}


def _listed(environ: Mapping[str, str], names: frozenset[str], system: System | None = None) -> dict[str, str]:
    """Return the variables with these names. On Windows, the case of a name does not matter, and more are listed."""
    if (system or this_system()) != WINDOWS:
        return {name: value for name, value in environ.items() if name in names or name.startswith("LC_")}
    known = {each.upper() for each in names} | _MORE_ON_WINDOWS[names]
    return {name: value for name, value in environ.items() if name.upper() in known or name.upper().startswith("LC_")}
