"""What is the same of every store: the journal, the open batch, its info, its trust, how it is found."""
