"""The loop over aiohttp that people write: FormData, `json()`, a semaphore and a task for each row."""

import asyncio

import aiohttp
import uvloop

from tests.bench.creators import KEY, PATH, Work


async def create(
    session: aiohttp.ClientSession, url: str, image: str, address: str, turn: asyncio.Semaphore
) -> str:
    """Create one task; returns its id."""
    form = aiohttp.FormData({"callback_url": address, "objects_to_tag": "brands", "image_url": image})
    async with turn, session.post(url, data=form) as response:
        response.raise_for_status()
        task = await response.json()
        return str(task["task_id"])


async def main(work: Work) -> None:
    """Create all."""
    turn = asyncio.Semaphore(work.in_flight)
    headers = {"Authorization": aiohttp.encode_basic_auth(KEY)}
    connector = aiohttp.TCPConnector(limit=work.in_flight)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await asyncio.gather(*(create(session, work.url + PATH, *row, turn) for row in work.rows()))


if __name__ == "__main__":
    uvloop.run(main(Work.asked()))
