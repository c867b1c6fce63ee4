from linkpipe.arrays.types import I32, I64, U8

LEFT_OUT: int
WITH_RELOCS: int

def group(
    data: U8,
    blocks: I64,
    local: I64,
    classes: I64,
    flag2: U8,
    debug: U8,
    damaged: I64,
    with_debug: bool,
    sticky: int,
    factor0: int,
    factor1: int,
    factor2: int,
    part: int,
    parts: int,
    first: I32,
    noted: U8,
) -> tuple[int, int]: ...
def share(first: I32, ids: I32, begin: int, end: int) -> None: ...
