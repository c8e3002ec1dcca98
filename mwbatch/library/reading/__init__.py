"""What a batch says: results, tables, what should be looked at, answers as they come."""
