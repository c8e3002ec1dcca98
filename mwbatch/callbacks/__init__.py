"""The receiver: an aiohttp application that answers 200 once a callback is on disk.

In reading order: `limits` (the numbers), `refusal` (every other answer), `delivery` (from bytes to a fact),
`signers`, `routing` and `journal_sink` (who signed it, which journal takes it, and how much of it), `intake`
(one request's head and body, and its 200), `unusable_callbacks` and `watch` (what is kept and told of
callbacks that do not fit), `readiness` and `receiver` (the application), `site`, `drain`, `listener` and
`tls` (a listening socket of its own), `metrics` and `admin` (what the operator looks at), `server` (all of it
running).
"""
