"""From rounds to the table, and the ratios that are kept."""
