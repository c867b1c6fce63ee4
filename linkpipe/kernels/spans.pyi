from linkpipe.arrays.types import I16, I32, I64, U8, U16, U32, U64

PLAIN: int
LESS_PLACE: int
LESS_BASE: int
SIGNED: int
BELOW_2_GIB: int
INDEX: int

def copy_spans(to: U8, to_at: I64, source: U8, source_at: I64, sizes: I64) -> None: ...
def expand(starts: I64, counts: I64) -> I64: ...
def first_seen(keys: I64, limit: int) -> U8: ...
def where(keys: I32, wanted: U8) -> I64: ...
def place(start: int, sizes: I64, aligns: I32) -> tuple[I64, int]: ...
def chosen(first: I64, count: I64, kinds: U16, wanted: U8) -> tuple[I64, I64]: ...
def uleb_sizes(values: U64) -> I64: ...
def put_ulebs(out: U8, at: I64, values: U64, sizes: I64) -> None: ...
def patch(
    image: U8,
    big: bool,
    first: I64,
    count: I64,
    at: I64,
    address: I64,
    room: I64,
    offset: I32,
    width: U8,
    type_: U16,
    add: I64,
    target: I32,
    value: I64,
    flags: U32,
    section: I16,
    kind: U8,
    index: I32,
    linked: int,
    odd: U8,
    forms: U8,
    bases: I64,
    rows: I64,
    owner: I64,
) -> int: ...
