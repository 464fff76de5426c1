"""A container engine: buildx builds, and the docker SDK does everything else.

Implements `unmoor.ports.engine`; podman has the same API. Begin with `docker`, then `building`.
"""

from unmoor.adapters.engine.docker import DockerEngine

__all__ = ["DockerEngine"]
