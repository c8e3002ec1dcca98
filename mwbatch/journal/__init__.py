"""Where the facts of a batch live, and all that a home keeps beside them; `seam` is what others rest on."""
