"""A container engine: the docker SDK for everything but builds, which buildx does.

Implements `unmoor.ports.engine`; podman answers through the same API. Begin with `docker`, then `building`.
"""

from unmoor.adapters.engine.docker import DockerEngine

__all__ = ["DockerEngine"]
