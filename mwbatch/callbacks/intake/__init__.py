"""From a request to the fact to store: what is refused, how a body is read, what an answer says."""
