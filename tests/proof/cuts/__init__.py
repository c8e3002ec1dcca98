"""Commands that are cut short at every step of the event loop,
and what they MUST leave behind however that is done.

Each `Scene` is a command of the library on a stage: real files, the simulator's world behind a wire, virtual
time, and jobs that run later than they are handed in. Each `Cut` says at which iterations of the loop it is
cancelled, timed out or interrupted. What `laws` asks holds after each; then the command runs again, uncut,
and nothing was paid twice.

``python -m tests.proof.cuts`` plays all of them; `test_cuts` a sample that is drawn anew with each seed.
"""
