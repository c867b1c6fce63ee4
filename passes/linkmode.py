"""linkmode: decide who finishes the link, and whether other Go modules may join at run time.

Two questions whose answers almost every later pass depends on. *External?* Some build
modes need a host linker (a plugin does), some packages bring C objects that only a host
linker understands; otherwise linkpipe writes the final file itself. *Dynamic?* A plugin is
loaded beside its host, and a host that can reach ``plugin.Open`` may load one: then symbols
stay visible, type names are mangled, and any exported method may be called.

The oracle links the C objects of some standard packages itself (net's, for one); linkpipe does
not yet and, unless told otherwise, leaves every program with C objects to the host linker, as
the oracle does with -linkmode=external.

Both are asked once, here, when every package is known. Until then there is no fact `mode`,
so asking earlier is an error and not a wrong answer.

The experiment dwarf5 decides the version of debug information; the compiler has written its part in
that version, as the headers of objects tell.

Source: cmd/link/internal/ld/config.go (mustLinkExternal, determineLinkMode), lib.go:575-590, target
and platform tables in internal/platform/supported.go.
Reads `packages`; provides `mode`.
"""

from __future__ import annotations

from linkpipe.arch import Architecture
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import UserError
from linkpipe.flags.options import Options
from linkpipe.tables.mode import Mode
from linkpipe.tables.packages import Packages

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
    can_use_plugins = "plugin" in packages.by_path and iscgo and "plugin" in link.arch.build_modes
    reason = _external_reason(options, link.arch, packages, iscgo)
    external = _external(options, packages, iscgo, reason)
    dynlink = options.buildmode in ("shared", "plugin") or options.linkshared or can_use_plugins
    return link.evolve(
        mode=Mode(
            external=external,
            iscgo=iscgo,
            can_use_plugins=can_use_plugins,
            dynlink=dynlink,
            pic=options.relocatable or dynlink,
            dwarf5="dwarf5" in link.release.enabled(options.environment.goexperiment, regabi=False),
            reason=(reason or _chosen_reason(options, packages)) if external else "",
        )
    )


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


def _chosen_reason(options: Options, packages: Packages) -> str:
    """Why a link is external that need not be."""
    if options.linkmode == "external":
        return "-linkmode=external"
    if packages.host_objects:
        # Those that the oracle cannot link either first: they are the better reason.
        foreign = [h for h in packages.host_objects if h.package not in _INTERNAL_PACKAGES]
        return f"C code of package {(foreign or packages.host_objects)[0].package}"
    return "GO_EXTLINK_ENABLED, or a package that asks for it"


def _external(options: Options, packages: Packages, iscgo: bool, reason: str) -> bool:
    wanted, via = options.linkmode, ""
    if wanted == "auto":
        forced = {"0": "internal", "1": "external"}.get(
            options.environment.variables.get("GO_EXTLINK_ENABLED", "")
        )
        if forced:
            wanted, via = forced, "via GO_EXTLINK_ENABLED "
        else:
            prefer = bool(packages.flags.get("preferlinkext"))
            return bool(reason) or (iscgo and (bool(packages.host_objects) or prefer))
    if wanted == "internal" and reason:
        raise UserError(
            f"internal linking requested {via}but external linking required: {reason}",
            status=2,
            remedy="drop -linkmode=internal, or what makes a host linker necessary",
        )
    return wanted == "external"
