from linkpipe.arrays.types import I32, I64, U8, U32

def tables(counts: I64, kinds: U8, targets: I32) -> tuple[I32, I64, I64, I32, I32]: ...
def burdened(
    data: U8,
    relocidx: I64,
    objects: I32,
    locals_: I32,
    flags: U32,
    name_size: I32,
    ids: I32,
    some: int,
) -> int: ...
def pcvalues(data: U8, at: I64, size: I64, quantum: int) -> tuple[int, int, I64, I64, I64, I32]: ...
