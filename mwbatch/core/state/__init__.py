"""The law: from facts to the state of a batch, row by row and in columns."""
