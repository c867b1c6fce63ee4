"""Mutation testing: change the product in one small place, and see whether a test notices.

    make mutants                                    # a sample over the passes, arches and tables
    make mutants FILES="passes/strdata.py"          # all of a file
    make mutants FILES=passes/elfsymtab.py OWN=1    # and only with the file's own tests

Tests that pass say little of a line that no test would miss. So each *mutant* is the product with
one expression or statement changed (`operators.py`); the tests that run its line are run, the
file's own first and the five smallest links last (`covering.py`, `links.py`); a mutant that no
test fails on has survived, and shows what is not tested. Some survive because they change
nothing that can be seen: those stand in `equivalent.toml`, each with its reason.

Mutants run in copies of the tree, one for each job, never in the tree itself. Every result is
written down as it comes, so that a run that was stopped goes on where it was (`__main__.py`).

Why not mutmut or cosmic-ray: mutmut rewrites functions that it finds under the path that they are
imported by, and passes/, arches/ and releases/ are imported from within linkpipe; it passes over
decorated functions, which every pass is. cosmic-ray changes the working tree or asks for a clone
for each worker with an environment of its own, and runs the same tests for every mutant. Neither
can say "the tests of this line, then these five links". What is left of them without all that are
the operators, which are two pages.
"""
