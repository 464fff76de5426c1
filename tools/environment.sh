#!/usr/bin/env bash
# Make the development environment, or bring it up to date: tools/environment.sh FOLDER [WHAT...]
# Only say which Python it would be made from:               tools/environment.sh --find
#
# WHAT are words for uv pip install beside the project itself, --group dev if there are none.
#
# Needs git and a Python from 3.11 on with the venv module; everything else comes from the package index.
set -eu
cd "$(dirname "$0")/.."

usable() {
  # A name on the PATH may be a shim that only says which versions exist: ask it to run.
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
No Python from 3.11 on with the modules venv and ensurepip (tried ${PYTHON:-python3.13, 3.12, 3.11, python3, python3.14}).
hint: on Debian or Ubuntu: apt-get install python3 python3-venv
hint: or name one: make PYTHON=/path/to/python3.12
END
  return 1
}

folder=${1:?usage: tools/environment.sh FOLDER [WHAT...], or --find}
shift
[ $# -gt 0 ] || set -- --group dev
if [ "$folder" = --find ]; then
  find_python
  exit
fi

if ! usable "$folder/bin/python"; then
  python=$(find_python)
  echo "environment: $folder from $("$python" -c 'import sys; print(sys.executable, sys.version.split()[0])')"
  "$python" -m venv --clear "$folder"
fi

"$folder/bin/python" -c 'import uv' 2>/dev/null || "$folder/bin/python" -m pip install --quiet --disable-pip-version-check uv

# The version comes from git. Unpacked without it, as from an archive of the repository, there is none to be had.
if [ -z "${SETUPTOOLS_SCM_PRETEND_VERSION_FOR_UNMOOR:-}" ] && [ ! -f PKG-INFO ] &&
  { [ ! -e .git ] || ! git rev-parse --quiet --verify HEAD >/dev/null; }; then
  echo "environment: no git history here, so this unmoor calls itself 0.1.dev0"
  echo "hint: SETUPTOOLS_SCM_PRETEND_VERSION_FOR_UNMOOR=VERSION gives it another name"
  export SETUPTOOLS_SCM_PRETEND_VERSION_FOR_UNMOOR=0.1.dev0
fi

# uv compiles nothing by itself, and every start of a tool would pay for that.
"$folder/bin/uv" pip install --quiet --compile-bytecode --python "$folder/bin/python" --editable . "$@"
