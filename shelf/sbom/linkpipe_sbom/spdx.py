"""A program as SPDX 2.3, in JSON."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid

from license_expression import LicenseExpression, get_spdx_licensing
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    Checksum,
    ChecksumAlgorithm,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    ExtractedLicensingInfo,
    Package,
    PackagePurpose,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)
from spdx_tools.spdx.writer.json.json_writer import write_document_to_stream

from linkpipe_sbom.licences import Licence
from linkpipe_sbom.modules import Linked, Program

_DOCUMENT, _PROGRAM = "SPDXRef-DOCUMENT", "SPDXRef-Program"


def spdx(program: Program, created: dt.datetime, tool: str) -> str:
    """The bill; the same for the same arguments."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, repr((program, created)))
    info = CreationInfo(
        "SPDX-2.3",
        _DOCUMENT,
        program.name,
        f"urn:uuid:{number}",
        [Actor(ActorType.TOOL, f"linkpipe-sbom-{tool}")],
        created,
    )
    top = Package(
        _PROGRAM,
        program.name,
        SpdxNoAssertion(),
        files_analyzed=False,
        primary_package_purpose=PackagePurpose.APPLICATION,
    )
    names = {path: _ref(path) for path in program.modules}
    packages = [top, *(_package(names[path], each) for path, each in program.modules.items())]
    relations = [Relationship(_DOCUMENT, RelationshipType.DESCRIBES, _PROGRAM)]
    relations += [Relationship(_PROGRAM, RelationshipType.CONTAINS, ref) for ref in names.values()]
    relations += [
        Relationship(names[path], RelationshipType.DEPENDS_ON, names[to])
        for path, needed in program.needs.items()
        for to in needed
    ]
    texts = {each.sha256: each for module in program.modules.values() for each in module.licences}
    unknown = [
        ExtractedLicensingInfo(_licence_ref(each), each.text, f"{each.file}, sha256:{hash_}")
        for hash_, each in sorted(texts.items())
        if not _ids(each)
    ]
    text = io.StringIO()
    document = Document(info, packages, relationships=relations, extracted_licensing_info=unknown)
    write_document_to_stream(document, text)
    # The schema of SPDX 2.3 has a hyphen where the library's word has none.
    category = '"referenceCategory": "PACKAGE{}MANAGER"'
    return f"{text.getvalue().replace(category.format('_'), category.format('-'))}\n"


def _ref(path: str) -> str:
    """An identifier: letters, digits, dots and hyphens. What else is in a path is told apart by
    its number."""
    return "SPDXRef-module-" + re.sub(r"[^A-Za-z0-9.]", lambda m: f"-{ord(m[0]):x}-", path)


def _package(ref: str, module: Linked) -> Package:
    sums = [Checksum(ChecksumAlgorithm.SHA256, module.sha256)] if module.sha256 else []
    packages = "\n".join(module.packages)
    comment = f"packages in the program, of {module.size} bytes:\n{packages}"
    if module.note:
        comment = f"{module.note}\n{comment}"
    url = ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", module.purl)
    return Package(
        ref,
        module.path,
        SpdxNoAssertion(),
        version=module.version or None,
        files_analyzed=False,
        checksums=sums,
        license_concluded=_licence(module),
        license_comment=f"unknown: {module.unlicensed}" if module.unlicensed else None,
        comment=comment,
        external_references=[url],
        primary_package_purpose=PackagePurpose.LIBRARY,
    )


def _licence(module: Linked) -> LicenseExpression | SpdxNoAssertion:
    """All licences of a module together."""
    words = dict.fromkeys(
        word for each in module.licences for word in _ids(each) or (_licence_ref(each),)
    )
    if not words:
        return SpdxNoAssertion()
    return get_spdx_licensing().parse(" AND ".join(words))


def _ids(licence: Licence) -> tuple[str, ...]:
    """Its identifiers, none where one of them is not in the list of SPDX."""
    known = get_spdx_licensing().known_symbols
    return licence.ids if all(each in known for each in licence.ids) else ()


def _licence_ref(licence: Licence) -> str:
    return f"LicenseRef-{licence.sha256}"
