"""Software bills of materials: what a wheel needs and contains, as CycloneDX. Begin with `unmoor.sbom.wheel`."""
