from linkpipe.arrays.types import I64, U8, Bool

def program(
    words: I64, types: I64, first: I64, at: I64, lengths: I64, times: I64, size: int
) -> tuple[U8, Bool]: ...
