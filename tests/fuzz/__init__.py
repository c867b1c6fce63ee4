"""The campaign: damaged inputs by the ten thousand, and generated programs, linked by both linkers.

    make fuzz                           # two minutes, seed 1
    make fuzz MINUTES=60 SEED=7
    .venv/bin/python -m tests.fuzz --seed 7 --case 4711      # one case again, and what was changed
    .venv/bin/python -m tests.fuzz --programs 2000           # valid programs only

A *case* is decided by a seed and a number: one link (`bases.py`: a small program for each
architecture, a real one) and one to three *edits* of its inputs. Archives are changed where
something stands (`archives.py`, `edits.py`): a field of a record gets a boundary value or that of
another record, records are swapped, cut out or doubled with the indexes kept right. So many of the
edits hit what the program needs that a third of the damaged links come as far as `relocate`. All
other inputs are texts (`texts.py`): importcfg, flags, response files, pipelines, cgo directives,
kept answers about C compilers.

`server.py` has linkpipe imported and forks a child for each case, with limits and a folder of its
own; `verdicts.py` says what became of it, and how that compares to what `go tool link` does with
the same input. What the two may differ in stands in `exceptions.toml`, each kind with its reason.
Whatever was found wrong is made small (`smaller.py`) and becomes a named case in `found.toml`,
which the tests run: a list of edits, no binary file.

`programs.py` writes *valid* Go programs, whose links must have the same bytes.
"""

import os

import linkpipe.kernels

CHECKED = os.environ.get("LINKPIPE_KERNELS", "")
"""A folder with kernels that were built so that faults end them (make sanitize)."""

if CHECKED:
    linkpipe.kernels.__path__.insert(0, os.path.abspath(f"{CHECKED}/linkpipe/kernels"))
