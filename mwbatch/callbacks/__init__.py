"""The receiver: an aiohttp application that answers 200 once a callback is on disk.

In reading order: `limits` (the numbers), `refusal` (every other answer), `delivery` (from bytes to a fact), `probe`,
`keyring` and `stores` (who signed it, which journal takes it), `intake` (one request's head and body), `rejects` and
`watch` (what is kept and told of callbacks that do not fit), `receiver` (the application), `site` and `server` (a
listening socket of its own).
"""
