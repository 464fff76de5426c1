#!/usr/bin/env bash
# A usual release script, which does the same work as a rehearsal, in sequence and with the same tools.
#
#   usual.sh pip|uv CHECKOUT TAG WORLD.toml PROJECT MODULE TESTS [TARGET=SUFFIX...]
#
# The script clones the tag, builds the sdist and the wheel, and runs twine check. It installs, imports and tests the wheel
# in a fresh environment, and installs and imports the sdist in another. It makes a draft release with the files through
# the API. It uploads to the staging index and installs from there, then the same with the index, and publishes the
# release. For each TARGET of the Dockerfile, it builds an image after the tests, runs three commands in it, and pushes it
# with the tag of the commit. After the index, it pushes all other tags. Each step checks what the same stage of unmoor
# checks. build, twine and uv must be on PATH, and docker if there are targets.
set -eu
tool=$1 checkout=$2 tag=$3 world=$4 project=$5 module=$6 tests=$7
shift 7
targets=("$@")
version=${tag#v}

work=$(mktemp -d)
made=()
finish() {
  [ "${#made[@]}" -eq 0 ] || docker image rm --force "${made[@]}" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
cd "$work"

# from_world TABLE KEY: a value from WORLD.toml. If there are several tables of that name, the first one counts.
from_world() {
  python -c '
import sys, tomllib
table = tomllib.load(open(sys.argv[1], "rb"))[sys.argv[2]]
print((table[0] if isinstance(table, list) else table)[sys.argv[3]])' "$world" "$@"
}

# environment FOLDER: create an environment.
environment() {
  case $tool in
    pip) python -m venv "$1" ;;
    uv) uv venv --quiet "$1" ;;
  esac
}

# install FOLDER ARGUMENTS...: install packages in an environment.
install() {
  local folder=$1
  shift
  case $tool in
    pip) "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ;;
    uv) uv pip install --quiet --python "$folder/bin/python" "$@" ;;
  esac
}

# consistent FOLDER: check the dependencies in an environment.
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

# Test.
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

# push TAG...: push the image that has the first tag, with all tags.
push() {
  local first=$1 name
  for name; do
    docker tag "$first" "$name"
    made+=("$name")
    docker push --quiet "$name" >/dev/null
  done
}

# Images.
image='' commit=$(git -C source rev-parse --short=12 HEAD)
if [ "${#targets[@]}" -gt 0 ]; then
  address=$(from_world registry address)
  image=${address#*://}/$(from_world forge repository)
  mkdir docker
  [ -z "${DOCKER_CONFIG:-}" ] || ln -s "$DOCKER_CONFIG/cli-plugins" docker/cli-plugins
  export DOCKER_CONFIG=$work/docker
  rm -rf source/dist
  cp -R dist source/dist
  for target in "${targets[@]}"; do
    docker build --quiet --target "${target%%=*}" --build-arg WHEEL="$(cd dist && ls -- *.whl)" \
      --label org.opencontainers.image.revision="$commit" --tag "$image:sha-$commit${target#*=}" source >/dev/null
    docker run --rm --network none --entrypoint lighthouse "$image:sha-$commit${target#*=}" --at Eddystone | grep -qF 'Fl(2) 10s'
    docker run --rm --network none --entrypoint lighthouse "$image:sha-$commit${target#*=}" --version | grep -qxF "$version"
  done
  docker run --rm --network none "$image:sha-$commit${targets[0]#*=}" 'Iso 8s' >/dev/null
  from_world registry password | docker login --username "$(from_world registry username)" --password-stdin "${image%%/*}" >/dev/null 2>&1
  for target in "${targets[@]}"; do
    push "$image:sha-$commit${target#*=}"
  done
fi

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

# Every other tag of the images.
for target in "${targets[@]}"; do
  suffix=${target#*=}
  push "$image:sha-$commit$suffix" "$image:v$version$suffix" "$image:${version%.*}$suffix" "$image:${version%%.*}$suffix" \
    "$image:latest$suffix" "$image:sha-${commit:0:7}$suffix"
done

# Publish.
call --request PATCH --data '{"draft": false, "prerelease": false, "make_latest": "true"}' \
  "$api/repos/$repository/releases/$release" >/dev/null
