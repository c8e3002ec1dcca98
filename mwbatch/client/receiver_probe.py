"""The signed probe: is a receiver that knows our key reachable at the callback base?"""

import secrets
from typing import Final

import aiohttp

from mwbatch.client.transport.proxy_route import way
from mwbatch.core.api.address import Key
from mwbatch.core.api.receiver_probe import STRANGE, is_answer, probe_address, question
from mwbatch.core.urls.proxies import Proxy

OTHER_KEYS: Final = "a receiver of mwbatch with other keys"
"""What is wrong where a receiver of another home answers."""

TIMEOUT = 5.0
"""Seconds for the probe as a whole."""


async def probe(base: str, key: Key, proxy: Proxy | None = None) -> str:
    """Post a probe to our own callback base; returns what is wrong in a few words,
    empty when a receiver answered.

    The probe carries no API key; its address is signed like any other, so that only our receiver can answer
    it.
    """
    nonce = secrets.token_hex(8)
    limits, through = aiohttp.ClientTimeout(total=TIMEOUT), way(proxy, base)
    try:
        async with aiohttp.ClientSession(timeout=limits) as session:
            answer = await session.post(
                probe_address(base, key),
                data=question(nonce),
                headers={"Content-Type": "application/json"} | {**through.headers},
                allow_redirects=False,
                proxy=through.proxy,
                proxy_headers=through.to_proxy,
            )
            status, body = answer.status, await answer.content.read(4096)
    except aiohttp.ClientConnectorError:
        return "nobody listens there"
    except TimeoutError:
        return f"no answer within {TIMEOUT:g} s"
    except (aiohttp.ClientError, OSError) as error:
        return type(error).__name__
    if status == 200 and is_answer(body, nonce):
        return ""
    if status == 404 and body == STRANGE.encode():
        return OTHER_KEYS
    return f"something else answers there, with status {status}"
