"""Names that only certain packages of the standard library may pull by linkname.

Source: cmd/link/internal/loader/loader.go, blockedLinknames (Go 1.27).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "crypto/internal/fips140/check": ("go:fipsinfo",),
    "crypto/internal/fips140": (
        "crypto/internal/fips140.fatal",
        "crypto/internal/fips140.getIndicator",
        "crypto/internal/fips140.setIndicator",
    ),
    "crypto/internal/sysrand": ("crypto/internal/sysrand.fatal",),
    "crypto/rand": ("crypto/rand.fatal",),
    "internal/runtime/maps": (
        "internal/runtime/maps.errNilAssign",
        "internal/runtime/maps.fatal",
        "internal/runtime/maps.newarray",
        "internal/runtime/maps.newobject",
        "internal/runtime/maps.rand",
        "internal/runtime/maps.typedmemclr",
        "internal/runtime/maps.typedmemmove",
        "internal/runtime/maps.typeString",
    ),
    "internal/sync": (
        "internal/sync.fatal",
        "internal/sync.runtime_canSpin",
        "internal/sync.runtime_doSpin",
        "internal/sync.runtime_nanotime",
        "internal/sync.runtime_Semrelease",
        "internal/sync.runtime_SemacquireMutex",
        "internal/sync.throw",
    ),
    "internal/synctest": (
        "internal/synctest.Run",
        "internal/synctest.Wait",
        "internal/synctest.acquire",
        "internal/synctest.release",
        "internal/synctest.inBubble",
        "internal/synctest.IsInBubble",
        "internal/synctest.associate",
        "internal/synctest.disassociate",
        "internal/synctest.isAssociated",
    ),
    "reflect": ("runtime.getStaticuint64s",),
    "sync": ("sync.runtime_SemacquireWaitGroup",),
    "time": (
        "time.runtimeNow",
        "time.runtimeNano",
        "time.runtimeIsBubbled",
    ),
    "runtime": (
        "runtime.mapaccess1",
        "runtime.mapaccess1_fast32",
        "runtime.mapaccess1_fast64",
        "runtime.mapaccess1_faststr",
        "runtime.mapdelete_fast32",
        "runtime.mapdelete_fast64",
        "runtime.mapdelete_faststr",
    ),
    "internal/cpu": (
        "internal/cpu.riscvHWProbe",
        "internal/cpu.sysctlbynameBytes",
        "internal/cpu.sysctlbynameInt32",
    ),
    "internal/runtime/cgroup": ("internal/runtime/cgroup.throw",),
    "runtime/trace": (
        "runtime/trace.runtime_readTrace",
        "runtime/trace.runtime_traceClockUnitsPerSecond",
    ),
    "sync_test": ("sync_test.runtime_blockUntilEmptyCleanupQueue",),
    "unique": ("unique.runtime_blockUntilEmptyCleanupQueue",),
    "net": ("net.newWindowsFile",),
    "testing/synctest": ("testing/synctest.testingSynctestTest",),
    "crypto/fips140": (
        "crypto/fips140.isBypassed",
        "crypto/fips140.setBypass",
        "crypto/fips140.unsetBypass",
    ),
    "crypto/subtle": (
        "crypto/subtle.setDITEnabled",
        "crypto/subtle.setDITDisabled",
    ),
    "runtime/pprof": (
        "runtime.pprof_goroutineLeakProfileWithLabels",
        "runtime/pprof.runtime_goroutineLeakGC",
        "runtime/pprof.runtime_goroutineleakcount",
    ),
    "runtime/secret": (
        "runtime/secret.appendSignalStacks",
        "runtime/secret.count",
        "runtime/secret.dec",
        "runtime/secret.eraseSecrets",
        "runtime/secret.getStack",
        "runtime/secret.inc",
    ),
    "syscall": (
        "syscall.rawsyscalln",
        "syscall.runtimeClearenv",
        "syscall.syscalln",
    ),
    "testing/cryptotest": (
        "crypto/internal/rand.SetTestingReader",
        "testing.checkParallel",
    ),
    "": ("runtime.addmoduledata",),
}
"""Package -> the names that it alone may pull; "" stands for no package at all."""

BLOCKED_LINKNAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: (package,) for package, names in _ALLOWED.items() for name in names}
)
"""Name -> the packages that may pull it."""
