"""A labelling vendor's own client in threads: `scaleapi`,
which speaks the dialect that Microwork's API comes from.
"""

from concurrent.futures import ThreadPoolExecutor

from scaleapi import ScaleClient
from scaleapi.tasks import TaskType

from tests.bench.creators import KEY, Work


def main(work: Work) -> None:
    """Create all."""
    client = ScaleClient(KEY, api_instance_url=f"{work.url}/v1")

    def create(row: tuple[str, str]) -> str:
        task = client.create_task(
            TaskType.ImageAnnotation, callback_url=row[1], objects_to_annotate=["brands"], attachment=row[0]
        )
        return str(task.id)

    with ThreadPoolExecutor(work.in_flight) as pool:
        list(pool.map(create, work.rows()))


if __name__ == "__main__":
    main(Work.asked())
