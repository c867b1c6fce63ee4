"""linkmode: decide who finishes the link, and whether other Go modules may join at run time.

Two questions whose answers almost every later pass depends on. *External?* Some build
modes need a host linker (a plugin does), some packages bring C objects that only a host
linker understands; otherwise linkpipe writes the final file itself. *Dynamic?* A plugin is
loaded beside its host, and a host that can reach ``plugin.Open`` may load one: then symbols
stay visible, type names are mangled, and any exported method may be called.

The C objects of some standard packages (net's, for one) are linked here; programs with others are
left to the host linker, unless one asks for it. Where the architecture does not say how C objects
are linked, all are.

Both are asked once, here, when every package is known. Until then there is no fact `mode`,
so asking earlier is an error and not a wrong answer.

The experiment dwarf5 decides the version of debug information; the compiler has written its part in
that version, as the headers of objects tell.

Source: cmd/link/internal/ld/config.go (mustLinkExternal, determineLinkMode), lib.go:575-590, target
and platform tables in internal/platform/supported.go.
Reads `packages`; provides `mode`.
"""

from __future__ import annotations

from collections.abc import Sequence

from linkpipe.arch import Architecture
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import UserError
from linkpipe.flags.options import Options
from linkpipe.tables.mode import Mode
from linkpipe.tables.packages import HostObject, Packages

# Packages whose C objects the oracle may link itself (lib.go:1179, internalpkg).
_INTERNAL_PACKAGES = frozenset(
    {
        "crypto/internal/boring",
        "crypto/internal/boring/syso",
        "crypto/x509",
        "net",
        "os/user",
        "runtime/cgo",
        "runtime/race",
        "runtime/race/internal/amd64v1",
        "runtime/race/internal/amd64v3",
        "runtime/msan",
        "runtime/asan",
    }
)

_EXTERNAL_BUILD_MODES = ("c-archive", "c-shared", "plugin", "shared")


@linkpass(requires=("packages",), provides=("mode",))
def linkmode(link: Link) -> Link:
    """Decide between internal and external linking, and whether Go is linked dynamically."""
    options, packages = link.options, link.packages
    iscgo = "runtime/cgo" in packages.by_path
    can_use_plugins = "plugin" in packages.by_path and iscgo
    if link.release.plugins_checked:
        can_use_plugins &= "plugin" in link.arch.build_modes
    reason = _external_reason(options, link.arch, packages, iscgo)
    foreign = [h for h in packages.host_objects if not _links(link.arch, h)]
    external = _external(options, packages, bool(foreign), iscgo, reason)
    dynlink = options.buildmode in ("shared", "plugin") or options.linkshared or can_use_plugins
    experiments = link.release.enabled(options.environment.goexperiment, regabi=False)
    return link.evolve(
        mode=Mode(
            external=external,
            iscgo=iscgo,
            can_use_plugins=can_use_plugins,
            dynlink=dynlink,
            pic=options.relocatable or dynlink,
            dwarf5="dwarf5" in experiments,
            fieldtrack="fieldtrack" in experiments,
            reason=(reason or _chosen_reason(options, foreign)) if external else "",
            plugins=options.buildmode == "plugin" or can_use_plugins,
            imports=options.linkshared,
            host_objects=bool(packages.host_objects) and not external,
        )
    )


def _links(arch: Architecture, host: HostObject) -> bool:
    """Whether a C object is linked here without being asked to."""
    can = arch.linkage is not None and arch.linkage.host
    return bool(can) and host.package in _INTERNAL_PACKAGES


def _external_reason(options: Options, arch: Architecture, packages: Packages, iscgo: bool) -> str:
    """What makes a host linker necessary, in the oracle's words; empty when nothing does."""
    if options.msan or options.asan:
        return "msan" if options.msan else "asan"
    if iscgo and not arch.internal_cgo:
        return f"{arch.goarch} does not support internal cgo"
    if options.buildmode in _EXTERNAL_BUILD_MODES or (
        options.buildmode == "pie" and not arch.internal_pie
    ):
        return f"buildmode={options.buildmode}"
    if options.linkshared:
        return "dynamically linking with a shared library"
    if any(h.format == "unknown" for h in packages.host_objects):
        return "some input objects have an unrecognized file format"
    failed = packages.flags.get("dynimportfail", ())
    if failed:
        return (
            f"some packages could not be built to support internal linking ([{' '.join(failed)}])"
        )
    return ""


def _chosen_reason(options: Options, foreign: Sequence[HostObject]) -> str:
    """Why a link is external that need not be."""
    if options.linkmode == "external":
        return "-linkmode=external"
    if foreign:
        # Those that the oracle cannot link either first: they are the better reason.
        better = [h for h in foreign if h.package not in _INTERNAL_PACKAGES]
        return f"C code of package {(better or foreign)[0].package}"
    return "GO_EXTLINK_ENABLED, or a package that asks for it"


def _external(
    options: Options, packages: Packages, foreign: bool, iscgo: bool, reason: str
) -> bool:
    wanted, via = options.linkmode, ""
    if wanted == "auto":
        forced = {"0": "internal", "1": "external"}.get(
            options.environment.variables.get("GO_EXTLINK_ENABLED", "")
        )
        if forced:
            wanted, via = forced, "via GO_EXTLINK_ENABLED "
        else:
            prefer = bool(packages.flags.get("preferlinkext"))
            return bool(reason) or (iscgo and (foreign or prefer))
    if wanted == "internal" and reason:
        raise UserError(
            f"internal linking requested {via}but external linking required: {reason}",
            status=2,
            remedy="drop -linkmode=internal, or what makes a host linker necessary",
        )
    return wanted == "external"
