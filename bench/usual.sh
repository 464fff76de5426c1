#!/usr/bin/env bash
# The release script that people write: the same work as a rehearsal, in sequence, with the same tools.
#
#   usual.sh pip|uv CHECKOUT TAG WORLD.toml PROJECT MODULE TESTS
#
# Clone the tag; build the sdist and the wheel from it; twine check; the wheel in a fresh environment, imported and
# tested; the sdist in another, imported; draft release with its files through the API; upload to the staging index and
# install from there; upload to the index and install from there; publish the release. What each step looks at is what
# the same stage of unmoor looks at. build, twine and uv are on the PATH.
set -eu
tool=$1 checkout=$2 tag=$3 world=$4 project=$5 module=$6 tests=$7
version=${tag#v}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

from_world() { python -c 'import sys, tomllib; print(tomllib.load(open(sys.argv[1], "rb"))[sys.argv[2]][sys.argv[3]])' "$world" "$@"; }

# environment FOLDER
environment() {
  case $tool in
    pip) python -m venv "$1" ;;
    uv) uv venv --quiet "$1" ;;
  esac
}

# install FOLDER ARGUMENTS...
install() {
  local folder=$1
  shift
  case $tool in
    pip) "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ;;
    uv) uv pip install --quiet --python "$folder/bin/python" "$@" ;;
  esac
}

# consistent FOLDER
consistent() {
  case $tool in
    pip) "$1/bin/python" -m pip --disable-pip-version-check check >/dev/null ;;
    uv) uv pip check --quiet --python "$1/bin/python" ;;
  esac
}

# Build.
git clone --quiet --branch "$tag" "$checkout" source 2>/dev/null
case $tool in
  pip) python -m build --outdir dist source >/dev/null ;;
  uv) python -m build --installer uv --outdir dist source >/dev/null ;;
esac
twine check --strict dist/* >/dev/null
(cd dist && sha256sum -- * >../SHA256SUMS)

# Prove.
mkdir elsewhere
cp -R "source/$tests" elsewhere/tests
environment wheel
install wheel dist/*.whl pytest
consistent wheel
(cd elsewhere && ../wheel/bin/python -c "import $module" && ../wheel/bin/python -m pytest -q tests >/dev/null)
environment sdist
install sdist dist/*.tar.gz
consistent sdist
(cd elsewhere && ../sdist/bin/python -c "import $module")

# Draft.
api=$(from_world forge api) uploads=$(from_world forge uploads) repository=$(from_world forge repository)
printf 'Authorization: Bearer %s\n' "$(from_world forge token)" >headers
call() { curl --silent --show-error --fail --header @headers --header 'Accept: application/vnd.github+json' "$@"; }
release=$(call --data "{\"tag_name\": \"$tag\", \"name\": \"$tag\", \"draft\": true, \"body\": \"$version\"}" "$api/repos/$repository/releases" |
  python -c 'import json, sys; print(json.load(sys.stdin)["id"])')
for file in dist/* SHA256SUMS; do
  call --header 'Content-Type: application/octet-stream' --data-binary "@$file" \
    "$uploads/repos/$repository/releases/$release/assets?name=$(basename "$file")" >/dev/null
done

# Both indexes.
for index in staging index; do
  TWINE_USERNAME=$(from_world "$index" username) TWINE_PASSWORD=$(from_world "$index" password) \
    twine upload --non-interactive --disable-progress-bar --repository-url "$(from_world "$index" upload)" dist/* >/dev/null
  environment "from-$index"
  install "from-$index" --no-deps --index-url "$(from_world "$index" simple)" "$project==$version"
  (cd elsewhere && "../from-$index/bin/python" -c "import $module")
done

# Publish.
call --request PATCH --data '{"draft": false, "prerelease": false, "make_latest": "true"}' \
  "$api/repos/$repository/releases/$release" >/dev/null
