"""`make bench`: what mwbatch costs, beside what people would use
instead. Every figure is a ratio taken in one run.

In reading order: `figures` (one line of the table), `children` (processes and what they cost), `null` (an API
that answers at once), `creators` and `receivers` (the contenders, each a process of its own), `load` (who
calls the receivers), `creating`, `receiving` (the rounds), `ratios` (what is kept, and the change against
it), `table`.
"""
