from linkpipe.arrays.types import I64, U8, U32

SOUND: int
NAME: int
ABI: int
ALIGN: int
RELOCS: int
AUXS: int
DATA: int
RELOC: int
AUX: int
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
) -> U8: ...
