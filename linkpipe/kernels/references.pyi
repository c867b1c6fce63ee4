from linkpipe.arrays.types import I32, I64, U8, U16, U32

FOLLOW: int
NOTE: int

def owned(
    data: U8,
    blocks: I64,
    objects: I32,
    locals_: I32,
    skipped: U8,
    first: U32,
    counts: U32,
    start: U32,
    auxs: bool,
) -> tuple[I64, I64]: ...
def relocations(
    data: U8,
    objects: I32,
    begin: I64,
    number: I64,
    first: U32,
    counts: U32,
    start: U32,
    ids: I32,
    types: U16,
    offset: I32,
    size: U8,
    kind: U16,
    weak: U8,
    add: I64,
    target: I32,
) -> I64: ...
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
def flood(
    data: U8,
    blocks: I64,
    objects: I32,
    locals_: I32,
    first: U32,
    counts: U32,
    start: U32,
    ids: I32,
    rule: U8,
    rules: U8,
    wanted: U8,
    reached: U8,
    waiting: I32,
    waits: int,
    owner: I32,
    at: I64,
) -> tuple[int, int]: ...
