"""Where the facts of a batch live, and all a home keeps beside them; `interface` is what others rest on."""
