"""Fuzzing: what reads bytes of strangers is fed bytes that nobody would write (``make fuzz``).

A *target* is one reader with the laws that hold for any bytes at all: it is total but for the exceptions that
it names, and what it accepts is what an independent reading of the same bytes accepts. A *corpus* holds
inputs that reach different code; a *find* is an input that once broke a law. Both are run through their
target by ``make test``.
"""
