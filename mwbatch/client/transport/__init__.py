"""The way of one request: connections, proxies, and what each failure proves."""
