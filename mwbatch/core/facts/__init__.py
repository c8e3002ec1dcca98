"""What happened: the kinds of facts, the lines that hold them, the names of answers, what did not fit."""
