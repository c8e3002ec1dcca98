"""A home that earlier code made, kept for ever: whoever changes the format must still read it."""
