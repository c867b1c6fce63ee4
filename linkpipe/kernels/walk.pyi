from linkpipe.arrays.types import I32, I64, U8

def spread(
    entry: I32,
    first: I64,
    count: I32,
    follow: I32,
    target: I32,
    always: U8,
    among: I64,
    wanted: U8,
    reached: U8,
    used: U8,
    done: U8,
) -> None: ...
def preorder(roots: I64, ends: I64, following: I64, same: I64, visited: I64) -> I64: ...
