"""How well the pace is held, beside rivals."""
