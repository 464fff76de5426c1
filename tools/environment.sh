#!/usr/bin/env bash
# Create or update the development environment:      tools/environment.sh FOLDER [ARGUMENT...]
# Only print the Python that it would be based on:   tools/environment.sh --find
#
# ARGUMENT is passed to uv pip install, in addition to the project. The default is --group dev.
#
# Needs git and Python 3.11 or later with the venv module. Everything else comes from the package index.
set -eu
cd "$(dirname "$0")/.."

usable() {
  # A name on the PATH may be a shim that only lists versions, so run it.
  "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python3.14}; do
    if usable "$name"; then
      echo "$name"
      return
    fi
  done
  cat >&2 <<END
Found no Python 3.11 or later with the modules venv and ensurepip (tried ${PYTHON:-python3.13, 3.12, 3.11, python3, python3.14}).
hint: on Debian or Ubuntu, run: apt-get install python3 python3-venv
hint: or name a Python: make PYTHON=/path/to/python3.12
END
  return 1
}

folder=${1:?usage: tools/environment.sh FOLDER [ARGUMENT...], or --find}
shift
[ $# -gt 0 ] || set -- --group dev
if [ "$folder" = --find ]; then
  find_python
  exit
fi

if ! usable "$folder/bin/python"; then
  python=$(find_python)
  echo "environment: creating $folder with $("$python" -c 'import sys; print(sys.executable, sys.version.split()[0])')"
  "$python" -m venv --clear "$folder"
fi

"$folder/bin/python" -c 'import uv' 2>/dev/null || "$folder/bin/python" -m pip install --quiet --disable-pip-version-check uv

# The version comes from git. An unpacked archive of the repository has no history.
if [ -z "${SETUPTOOLS_SCM_PRETEND_VERSION_FOR_UNMOOR:-}" ] && [ ! -f PKG-INFO ] &&
  { [ ! -e .git ] || ! git rev-parse --quiet --verify HEAD >/dev/null; }; then
  echo "environment: there is no git history, so the version is 0.1.dev0"
  echo "hint: to set another one, use SETUPTOOLS_SCM_PRETEND_VERSION_FOR_UNMOOR=VERSION"
  export SETUPTOOLS_SCM_PRETEND_VERSION_FOR_UNMOOR=0.1.dev0
fi

# By default uv compiles no bytecode, which would slow every start of a tool.
"$folder/bin/uv" pip install --quiet --compile-bytecode --python "$folder/bin/python" --editable . "$@"
