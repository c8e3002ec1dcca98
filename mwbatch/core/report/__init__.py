"""What commands came to, as plain values, and what a row and its answer look like to scripts."""
