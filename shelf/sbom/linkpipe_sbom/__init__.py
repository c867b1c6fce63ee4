"""sbom: bills of materials of what was linked."""
