"""The submitter's matrix: every cause of doubt in every circumstance, in virtual time,
by the simulator's ledger.

A schedule is a cause, a circumstance and a seed; everything else is drawn from them, so that a schedule that
breaks a law can be played again alone: ``python -m tests.proof.torture ONLY=cause/circumstance/seed``.
"""
