"""What is the same of every store: the journal, the open batch, its record, its trust, how it is found."""
