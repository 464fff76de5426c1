# unmoor in an image: for a release by hand, or by a CI that runs images. Released by unmoor itself (pyproject.toml), which
# puts the wheel that was tested into dist/ and names it in WHEEL; nothing of the project is built here.
#
#   docker run --rm -v "$PWD:/work" ghcr.io/unmoor/unmoor plan v1.2.3
#
# Where the base image can be pulled, pin it by digest as well: --build-arg BASE=python:3.11-slim-bookworm@sha256:…
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS builder
WORKDIR /build
# What unmoor needs comes from the index, by hash; `make pins` writes the list. It changes seldom: a layer of its own.
COPY docker/requirements.txt ./
RUN python -m venv --without-pip /opt/unmoor \
    && python -m pip --python /opt/unmoor/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement requirements.txt
# unmoor itself comes from dist/ alone: the index may not have this version yet, or have another one of that name.
ARG WHEEL
COPY dist/${WHEEL} dist/
RUN test -n "${WHEEL}" \
    && python -m pip --python /opt/unmoor/bin/python install --no-cache-dir --disable-pip-version-check \
        --no-index --no-deps "dist/${WHEEL}" \
    && python -m pip --python /opt/unmoor/bin/python check

FROM ${BASE} AS production
# git makes the clone that a release is built from. Its version is the distribution's: pinned, it would be gone next month.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && useradd --create-home --uid 10001 unmoor \
    && install --directory --owner unmoor /work
COPY --from=builder /opt/unmoor /opt/unmoor
ENV PATH=/opt/unmoor/bin:$PATH
USER 10001
WORKDIR /work
ENTRYPOINT ["unmoor"]
CMD ["--help"]

# The same with what people type beside it: make, ssh for a remote, a pager.
FROM production AS development
USER 0
# As above: the distribution's versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends less make openssh-client \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
USER 10001
