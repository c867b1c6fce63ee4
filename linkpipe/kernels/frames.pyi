from linkpipe.arrays.types import I32, I64, U8

def encode(
    head: U8,
    counts: I64,
    start: I64,
    end: I64,
    value: I32,
    length: I64,
    top: U8,
    register: U8,
    ptrsize: int,
    below: int,
    big: bool,
) -> tuple[U8, I64]: ...
