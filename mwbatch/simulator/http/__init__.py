"""The simulated API over HTTP: requests, faults on the wire, callbacks, pictures."""
