"""What a schedule plays in: the API, the network, the receiver, and processes that may die."""
