"""A program as CycloneDX 1.6, in JSON."""

from __future__ import annotations

import datetime as dt
import uuid

from cyclonedx.model import AttachedText, HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL

from linkpipe_sbom.modules import Linked, Program


def cyclonedx(program: Program, created: dt.datetime, tool: str) -> str:
    """The bill; the same for the same arguments."""
    top = Component(name=program.name, type=ComponentType.APPLICATION, bom_ref="program")
    tools = [Component(name="linkpipe-sbom", version=tool, type=ComponentType.APPLICATION)]
    settings = [Property(name=f"go:{k}", value=v) for k, v in program.settings.items()]
    metadata = BomMetaData(component=top, timestamp=created, properties=settings)
    metadata.tools.components.update(tools)
    parts = {path: _component(path, each) for path, each in program.modules.items()}
    told = repr((program, created))
    bom = Bom(
        components=parts.values(),
        metadata=metadata,
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, told),
    )
    bom.register_dependency(top, [parts[program.main]] if program.main in parts else [])
    for path, needed in program.needs.items():
        bom.register_dependency(parts[path], [parts[to] for to in needed])
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    return f"{text}\n"


def _component(path: str, module: Linked) -> Component:
    properties = [Property(name="linkpipe:package", value=each) for each in module.packages]
    properties.append(Property(name="linkpipe:bytes", value=str(module.size)))
    if module.note:
        properties.append(Property(name="linkpipe:replaced", value=module.note))
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=module.sha256)] if module.sha256 else []
    if module.unlicensed:
        unknown = f"unknown: {module.unlicensed}"
        properties.append(Property(name="linkpipe:licence", value=unknown))
    return Component(
        name=module.path,
        version=module.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=f"module:{path}",
        purl=PackageURL.from_string(module.purl),
        hashes=hashes,
        licenses=_licences(module),
        properties=properties,
    )


def _licences(module: Linked) -> list[DisjunctiveLicense]:
    """Each licence once: by its identifier, or by its file, its hash and what it says."""
    found: dict[str, DisjunctiveLicense] = {}
    for each in module.licences:
        for id_ in each.ids:
            known = DisjunctiveLicense(id=id_) if is_supported_id(id_) else None
            found[id_] = known or DisjunctiveLicense(name=id_)
        if not each.ids:
            name = f"{each.file}, sha256:{each.sha256}"
            found[name] = DisjunctiveLicense(name=name, text=AttachedText(content=each.text))
    return [*found.values()]
