"""What the Microwork API is sent and what it says: addresses, tasks, pages, create requests, callbacks."""
