"""``make mutants``: changes the code in small ways, one at a time, and sees whether a test notices.

A change that no test notices is a law that nobody has stated, or one that changes nothing. `changes` makes
them, `covering` learns which tests pass each line, ``python -m tests.proof.mutants`` plays a seeded sample
and prints killed and survived by room. Kept tools were looked at first: mutmut 3 runs the code through
trampolines of its own, which the loop, the threads and the child processes of our tests do not pass, and
cosmic-ray 8 runs one command for every change, where the tests that pass a changed line take a hundredth of
that time.
"""
