from linkpipe.arrays.types import I32, I64, U8, U32

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
def count_symbols(
    data: U8,
    blocks: I64,
    local: I64,
    classes: I64,
    left_out: U8,
    flag2: U8,
    debug: U8,
    rooting: int,
    with_debug: bool,
) -> tuple[int, int]: ...
def marked(data: U8, blocks: I64, local: I64, classes: I64, marks: U8, whole: U8) -> I64: ...
def symbols(
    data: U8,
    blocks: I64,
    base: I64,
    local: I64,
    classes: I64,
    left_out: U8,
    static: I32,
    flag2: U8,
    debug: U8,
    abis: bool,
    with_debug: bool,
    place: I32,
    cls: U8,
    name_at: I64,
    name_size: I32,
    version: I32,
    flags: U32,
    size: U32,
    align: I32,
) -> None: ...
def describe(
    data: U8,
    blocks: I64,
    base: I64,
    local: I64,
    classes: I64,
    static: I32,
    flag2: U8,
    kinds: U8,
    own: U32,
    hashed: int,
    abis: bool,
    places: I32,
    obj: I32,
    number: I32,
    version: I32,
    kind: U8,
    size: I64,
    align: I32,
    flags: U32,
    name_at: I64,
    name_size: I32,
    data_at: I64,
    data_size: I64,
) -> None: ...
def numbered(leader: I32, stage: U8) -> tuple[I32, I32]: ...
def shared(
    ids: I32,
    winner: I32,
    refers: U8,
    flags: U32,
    align: I32,
    sticky: int,
    all_flags: U32,
    most_align: I32,
) -> None: ...
