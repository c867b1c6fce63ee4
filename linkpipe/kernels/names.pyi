from linkpipe.arrays.types import I32, I64, U8, U64, Bool

def hashes(
    data: U8, at: I64, size: I32, tag: I32, rows: I32, key0: int, key1: int, found: U64
) -> None: ...
def group(
    data: U8, at: I64, size: I32, tag: I32, rows: I32, hashed: U64, own: int, first: I32
) -> I32: ...
def find(
    data: U8,
    at: I64,
    size: I32,
    tag: I32,
    known_data: U8,
    known_at: I64,
    known_size: I32,
    known_tag: I32,
    slots: I32,
    key0: int,
    key1: int,
) -> I32: ...
def renumber(slots: I32, rows: I32, numbers: I32) -> None: ...
def matching(data: U8, at: I64, size: I32, texts: U8, lengths: I64, end: bool) -> I32: ...
def containing(data: U8, at: I64, size: I32, byte: int) -> Bool: ...
