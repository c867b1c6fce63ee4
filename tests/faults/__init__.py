"""What goes wrong around a link: passes, signals, disks, limits, streams, compilers.

Whatever it is, a link says in a line what it was; the old output is as it was, and nothing is left.
"""
