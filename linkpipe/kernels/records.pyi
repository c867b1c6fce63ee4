from linkpipe.arrays.types import I32, I64, U8, U16, U32, Bool

SOUND: int
NAME: int
ABI: int
ALIGN: int
RELOCS: int
AUXS: int
DATA: int
RELOC: int
AUX: int
TABLE: int
SIZE: int
BUILTIN: int
LARGEST: int

def faults(
    data: U8,
    blocks: I64,
    base: I64,
    ends: I64,
    local: I64,
    defined: I64,
    first: U32,
    counts: U32,
    limit: U32,
    passed: U8,
    functions: U8,
) -> U8: ...
def symbols(
    data: U8,
    blocks: I64,
    base: I64,
    local: I64,
    classes: I64,
    static: I32,
    own: U32,
    kinds: U8,
    flag2: U8,
    debug: U8,
    empty: I64,
    rooting: int,
    hashed: int,
    abis: bool,
    with_debug: bool,
) -> tuple[tuple[I64, I32, I32, U8, I64, I32, I32, U8, U32, I64, I32, I64, I32], int]: ...
def relocations(
    data: U8,
    blocks: I64,
    objects: I32,
    locals_: I32,
    skipped: U8,
    first: U32,
    counts: U32,
    start: U32,
    ids: I32,
    types: U16,
) -> tuple[I64, tuple[I32, U8, U16, Bool, I64, I32], I64]: ...
def auxiliaries(
    data: U8,
    blocks: I64,
    objects: I32,
    locals_: I32,
    skipped: U8,
    first: U32,
    counts: U32,
    start: U32,
    ids: I32,
    wanted: U8,
) -> tuple[I64, U8, I32]: ...
