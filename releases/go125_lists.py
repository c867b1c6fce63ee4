"""Lists of Go 1.25, made from its source by `python -m tools.release`: do not edit."""

from __future__ import annotations

from linkpipe.release import Lists

LISTS = Lists(
    relocs="""
        R_ADDR R_ADDRPOWER R_ADDRARM64 R_ADDRMIPS R_ADDROFF R_SIZE R_CALL R_CALLARM R_CALLARM64
        R_CALLIND R_CALLPOWER R_CALLMIPS R_CONST R_PCREL R_TLS_LE R_TLS_IE R_GOTOFF R_PLT0 R_PLT1
        R_PLT2 R_USEFIELD R_USETYPE R_USEIFACE R_USEIFACEMETHOD R_USENAMEDMETHOD R_METHODOFF R_KEEP
        R_POWER_TOC R_GOTPCREL R_JMPMIPS R_DWARFSECREF R_ARM64_TLS_LE R_ARM64_TLS_IE
        R_ARM64_GOTPCREL R_ARM64_GOT R_ARM64_PCREL R_ARM64_PCREL_LDST8 R_ARM64_PCREL_LDST16
        R_ARM64_PCREL_LDST32 R_ARM64_PCREL_LDST64 R_ARM64_LDST8 R_ARM64_LDST16 R_ARM64_LDST32
        R_ARM64_LDST64 R_ARM64_LDST128 R_POWER_TLS_LE R_POWER_TLS_IE R_POWER_TLS
        R_POWER_TLS_IE_PCREL34 R_POWER_TLS_LE_TPREL34 R_ADDRPOWER_DS R_ADDRPOWER_GOT
        R_ADDRPOWER_GOT_PCREL34 R_ADDRPOWER_PCREL R_ADDRPOWER_TOCREL R_ADDRPOWER_TOCREL_DS
        R_ADDRPOWER_D34 R_ADDRPOWER_PCREL34 R_RISCV_JAL R_RISCV_JAL_TRAMP R_RISCV_CALL
        R_RISCV_PCREL_ITYPE R_RISCV_PCREL_STYPE R_RISCV_TLS_IE R_RISCV_TLS_LE R_RISCV_GOT_HI20
        R_RISCV_GOT_PCREL_ITYPE R_RISCV_PCREL_HI20 R_RISCV_PCREL_LO12_I R_RISCV_PCREL_LO12_S
        R_RISCV_BRANCH R_RISCV_RVC_BRANCH R_RISCV_RVC_JUMP R_PCRELDBL R_LOONG64_ADDR_HI
        R_LOONG64_ADDR_LO R_LOONG64_TLS_LE_HI R_LOONG64_TLS_LE_LO R_CALLLOONG64 R_LOONG64_TLS_IE_HI
        R_LOONG64_TLS_IE_LO R_LOONG64_GOT_HI R_LOONG64_GOT_LO R_LOONG64_ADD64 R_LOONG64_SUB64
        R_JMP16LOONG64 R_JMP21LOONG64 R_JMPLOONG64 R_ADDRMIPSU R_ADDRMIPSTLS R_ADDRCUOFF
        R_WASMIMPORT R_XCOFFREF R_PEIMAGEOFF R_INITORDER R_DWTXTADDR_U1 R_DWTXTADDR_U2
        R_DWTXTADDR_U3 R_DWTXTADDR_U4
    """,
    object_kinds="""
        Sxxx STEXT STEXTFIPS SRODATA SRODATAFIPS SNOPTRDATA SNOPTRDATAFIPS SDATA SDATAFIPS SBSS
        SNOPTRBSS STLSBSS SDWARFCUINFO SDWARFCONST SDWARFFCN SDWARFABSFCN SDWARFTYPE SDWARFVAR
        SDWARFRANGE SDWARFLOC SDWARFLINES SDWARFADDR SLIBFUZZER_8BIT_COUNTER SCOVERAGE_COUNTER
        SCOVERAGE_AUXVAR SSEHUNWINDINFO
    """,
    flag2="""
        UsedInIface Itab Dict PkgInit Linkname ABIWrapper WasmExport
    """,
    runtime_packages="""
        runtime internal/runtime/atomic internal/runtime/cgroup internal/runtime/exithook
        internal/runtime/gc internal/runtime/maps internal/runtime/math internal/runtime/strconv
        internal/runtime/sys internal/runtime/syscall internal/abi internal/bytealg
        internal/byteorder internal/chacha8rand internal/coverage/rtcov internal/cpu internal/goarch
        internal/godebugs internal/goexperiment internal/goos internal/profilerecord
        internal/stringslite
    """,
    experiments="""
        fieldtrack preemptibleloops staticlockranking boringcrypto regabiwrappers regabiargs
        heapminimum512kib arenas cgocheck2 loopvar cacheprog newinliner rangefunc aliastypeparams
        swissmap synchashtriemap synctest dwarf5 jsonv2 greenteagc
    """,
    baseline="""
        aliastypeparams swissmap synchashtriemap dwarf5
    """,
    flags="""
        B E H I L R T V X a asan aslr benchmark benchmarkprofile bindnow buildid buildmode c
        capturehostobjs checklinkname compressdwarf cpuprofile d debugnosplit debugtextsize
        debugtramp dumpdep e extar extld extldflags f fipso funcalign g h importcfg installsuffix k
        libgcc linkmode linkshared memprofile memprofilerate msan n o pluginpath pruneweakmap r race
        randlayout s strictdups tmpdir v w
    """,
    builtins="""
runtime.newobject
runtime.mallocgc
runtime.panicdivide
runtime.panicshift
runtime.panicmakeslicelen
runtime.panicmakeslicecap
runtime.throwinit
runtime.panicwrap
runtime.gopanic
runtime.gorecover
runtime.goschedguarded
runtime.goPanicIndex
runtime.goPanicIndexU
runtime.goPanicSliceAlen
runtime.goPanicSliceAlenU
runtime.goPanicSliceAcap
runtime.goPanicSliceAcapU
runtime.goPanicSliceB
runtime.goPanicSliceBU
runtime.goPanicSlice3Alen
runtime.goPanicSlice3AlenU
runtime.goPanicSlice3Acap
runtime.goPanicSlice3AcapU
runtime.goPanicSlice3B
runtime.goPanicSlice3BU
runtime.goPanicSlice3C
runtime.goPanicSlice3CU
runtime.goPanicSliceConvert
runtime.printbool
runtime.printfloat
runtime.printint
runtime.printhex
runtime.printuint
runtime.printcomplex
runtime.printstring
runtime.printpointer
runtime.printuintptr
runtime.printiface
runtime.printeface
runtime.printslice
runtime.printnl
runtime.printsp
runtime.printlock
runtime.printunlock
runtime.concatstring2
runtime.concatstring3
runtime.concatstring4
runtime.concatstring5
runtime.concatstrings
runtime.concatbyte2
runtime.concatbyte3
runtime.concatbyte4
runtime.concatbyte5
runtime.concatbytes
runtime.cmpstring
runtime.intstring
runtime.slicebytetostring
runtime.slicebytetostringtmp
runtime.slicerunetostring
runtime.stringtoslicebyte
runtime.stringtoslicerune
runtime.slicecopy
runtime.decoderune
runtime.countrunes
runtime.convT
runtime.convTnoptr
runtime.convT16
runtime.convT32
runtime.convT64
runtime.convTstring
runtime.convTslice
runtime.assertE2I
runtime.assertE2I2
runtime.panicdottypeE
runtime.panicdottypeI
runtime.panicnildottype
runtime.typeAssert
runtime.interfaceSwitch
runtime.ifaceeq
runtime.efaceeq
runtime.panicrangestate
runtime.deferrangefunc
runtime.rand
runtime.rand32
runtime.makemap64
runtime.makemap
runtime.makemap_small
runtime.mapaccess1
runtime.mapaccess1_fast32
runtime.mapaccess1_fast64
runtime.mapaccess1_faststr
runtime.mapaccess1_fat
runtime.mapaccess2
runtime.mapaccess2_fast32
runtime.mapaccess2_fast64
runtime.mapaccess2_faststr
runtime.mapaccess2_fat
runtime.mapassign
runtime.mapassign_fast32
runtime.mapassign_fast32ptr
runtime.mapassign_fast64
runtime.mapassign_fast64ptr
runtime.mapassign_faststr
runtime.mapiterinit
runtime.mapIterStart
runtime.mapdelete
runtime.mapdelete_fast32
runtime.mapdelete_fast64
runtime.mapdelete_faststr
runtime.mapiternext
runtime.mapIterNext
runtime.mapclear
runtime.makechan64
runtime.makechan
runtime.chanrecv1
runtime.chanrecv2
runtime.chansend1
runtime.closechan
runtime.chanlen
runtime.chancap
!runtime.writeBarrier
runtime.typedmemmove
runtime.typedmemclr
runtime.typedslicecopy
runtime.selectnbsend
runtime.selectnbrecv
runtime.selectsetpc
runtime.selectgo
runtime.block
runtime.makeslice
runtime.makeslice64
runtime.makeslicecopy
runtime.growslice
runtime.unsafeslicecheckptr
runtime.panicunsafeslicelen
runtime.panicunsafeslicenilptr
runtime.unsafestringcheckptr
runtime.panicunsafestringlen
runtime.panicunsafestringnilptr
runtime.memmove
runtime.memclrNoHeapPointers
runtime.memclrHasPointers
runtime.memequal
runtime.memequal0
runtime.memequal8
runtime.memequal16
runtime.memequal32
runtime.memequal64
runtime.memequal128
runtime.f32equal
runtime.f64equal
runtime.c64equal
runtime.c128equal
runtime.strequal
runtime.interequal
runtime.nilinterequal
runtime.memhash
runtime.memhash0
runtime.memhash8
runtime.memhash16
runtime.memhash32
runtime.memhash64
runtime.memhash128
runtime.f32hash
runtime.f64hash
runtime.c64hash
runtime.c128hash
runtime.strhash
runtime.interhash
runtime.nilinterhash
runtime.int64div
runtime.uint64div
runtime.int64mod
runtime.uint64mod
runtime.float64toint64
runtime.float64touint64
runtime.float64touint32
runtime.int64tofloat64
runtime.int64tofloat32
runtime.uint64tofloat64
runtime.uint64tofloat32
runtime.uint32tofloat64
runtime.complex128div
runtime.racefuncenter
runtime.racefuncexit
runtime.raceread
runtime.racewrite
runtime.racereadrange
runtime.racewriterange
runtime.msanread
runtime.msanwrite
runtime.msanmove
runtime.asanread
runtime.asanwrite
runtime.checkptrAlignment
runtime.checkptrArithmetic
runtime.libfuzzerTraceCmp1
runtime.libfuzzerTraceCmp2
runtime.libfuzzerTraceCmp4
runtime.libfuzzerTraceCmp8
runtime.libfuzzerTraceConstCmp1
runtime.libfuzzerTraceConstCmp2
runtime.libfuzzerTraceConstCmp4
runtime.libfuzzerTraceConstCmp8
runtime.libfuzzerHookStrCmp
runtime.libfuzzerHookEqualFold
runtime.addCovMeta
!runtime.x86HasPOPCNT
!runtime.x86HasSSE41
!runtime.x86HasFMA
!runtime.armHasVFPv4
!runtime.arm64HasATOMICS
!runtime.loong64HasLAMCAS
!runtime.loong64HasLAM_BH
!runtime.loong64HasLSX
!runtime.riscv64HasZbb
runtime.asanregisterglobals
runtime.deferproc
runtime.deferprocStack
runtime.deferreturn
runtime.newproc
runtime.panicoverflow
runtime.sigpanic
runtime.gcWriteBarrier
runtime.duffzero
runtime.duffcopy
!runtime.morestack
!runtime.morestackc
!runtime.morestack_noctxt
!type:int8
!type:*int8
!type:uint8
!type:*uint8
!type:int16
!type:*int16
!type:uint16
!type:*uint16
!type:int32
!type:*int32
!type:uint32
!type:*uint32
!type:int64
!type:*int64
!type:uint64
!type:*uint64
!type:float32
!type:*float32
!type:float64
!type:*float64
!type:complex64
!type:*complex64
!type:complex128
!type:*complex128
!type:unsafe.Pointer
!type:*unsafe.Pointer
!type:uintptr
!type:*uintptr
!type:bool
!type:*bool
!type:string
!type:*string
!type:error
!type:*error
!type:func(error) string
!type:*func(error) string
""",
    blocked_linknames=(
        ("crypto/internal/fips140", """
            crypto/internal/fips140.fatal crypto/internal/fips140.getIndicator
            crypto/internal/fips140.setIndicator
        """),
        ("crypto/internal/fips140/check", """
            go:fipsinfo
        """),
        ("crypto/internal/sysrand", """
            crypto/internal/sysrand.fatal
        """),
        ("crypto/rand", """
            crypto/rand.fatal
        """),
        ("internal/cpu", """
            internal/cpu.riscvHWProbe
        """),
        ("internal/runtime/cgroup", """
            internal/runtime/cgroup.throw
        """),
        ("internal/runtime/maps", """
            internal/runtime/maps.errNilAssign internal/runtime/maps.fatal
            internal/runtime/maps.newarray internal/runtime/maps.newobject
            internal/runtime/maps.typeString internal/runtime/maps.typedmemclr
            internal/runtime/maps.typedmemmove
        """),
        ("internal/sync", """
            internal/sync.fatal internal/sync.runtime_SemacquireMutex
            internal/sync.runtime_Semrelease internal/sync.runtime_canSpin
            internal/sync.runtime_doSpin internal/sync.runtime_nanotime internal/sync.throw
        """),
        ("internal/synctest", """
            internal/synctest.IsInBubble internal/synctest.Run internal/synctest.Wait
            internal/synctest.acquire internal/synctest.associate internal/synctest.disassociate
            internal/synctest.inBubble internal/synctest.isAssociated internal/synctest.release
        """),
        ("iter", """
            runtime.coroswitch runtime.newcoro
        """),
        ("net", """
            net.newWindowsFile
        """),
        ("reflect", """
            runtime.getStaticuint64s
        """),
        ("runtime", """
            runtime.mapaccess1 runtime.mapaccess1_fast32 runtime.mapaccess1_fast64
            runtime.mapaccess1_faststr runtime.mapdelete_fast32 runtime.mapdelete_fast64
            runtime.mapdelete_faststr
        """),
        ("runtime/trace", """
            runtime/trace.runtime_readTrace runtime/trace.runtime_traceClockUnitsPerSecond
        """),
        ("sync", """
            sync.runtime_SemacquireWaitGroup
        """),
        ("sync_test", """
            sync_test.runtime_blockUntilEmptyCleanupQueue
        """),
        ("testing/synctest", """
            testing/synctest.testingSynctestTest
        """),
        ("time", """
            time.runtimeIsBubbled time.runtimeNano time.runtimeNow
        """),
        ("unique", """
            unique.runtime_blockUntilEmptyCleanupQueue
        """),
    ),
)
