"""requests in threads, each with a session of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.bench.creators import KEY, PATH, Work

MINE = threading.local()


def create(url: str, image: str, address: str) -> str:
    """Create one task; returns its id."""
    session = getattr(MINE, "session", None)
    if session is None:
        session = MINE.session = requests.Session()
        session.auth = (KEY, "")
    form = {"callback_url": address, "objects_to_tag": "brands", "image_url": image}
    response = session.post(url, data=form, timeout=30)
    response.raise_for_status()
    return str(response.json()["task_id"])


def main(work: Work) -> None:
    """Create all."""
    with ThreadPoolExecutor(work.in_flight) as pool:
        list(pool.map(lambda row: create(work.url + PATH, *row), work.rows()))


if __name__ == "__main__":
    main(Work.asked())
