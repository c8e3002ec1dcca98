"""Before money is spent: what is sent next, within which limits, and what was asked for before."""
