"""Where a callback is stored: which journal takes it, whose key signed it, what did not fit."""
