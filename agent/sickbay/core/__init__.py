"""Pure decisions: every function here depends on its arguments alone, time included.

Nothing in this package may read a clock, open a file, start a thread, log or import a transport, so that a
recorded trace replays to the same decision on any machine.
"""
