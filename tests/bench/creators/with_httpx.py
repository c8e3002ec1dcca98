"""httpx, the client that is recommended most: as many workers as requests in flight."""

import asyncio
from collections.abc import Iterator

import httpx
import uvloop

from tests.bench.creators import KEY, PATH, Work


async def create(client: httpx.AsyncClient, url: str, rows: Iterator[tuple[str, str]]) -> None:
    """Create tasks until the rows are used up."""
    for image, address in rows:
        form = {"callback_url": address, "objects_to_tag": "brands", "image_url": image}
        response = await client.post(url, data=form)
        response.raise_for_status()
        response.json()["task_id"]


async def main(work: Work) -> None:
    """Create all."""
    rows = work.rows()
    limits = httpx.Limits(max_connections=work.in_flight, max_keepalive_connections=work.in_flight)
    async with httpx.AsyncClient(auth=(KEY, ""), limits=limits, timeout=30) as client:
        await asyncio.gather(*(create(client, work.url + PATH, rows) for _ in range(work.in_flight)))


if __name__ == "__main__":
    uvloop.run(main(Work.asked()))
