"""DuckDB at the same work: join rows, tasks and answers of the same segments.

``python -m … FOLDER account|results``.
"""

import sys
from pathlib import Path
from typing import Final

import duckdb

ACCOUNT: Final = """
    select count(*), count(tasks.row), count(answers.row), count(distinct tasks.task_id)
    from rows left join tasks using (row) left join answers using (row)
"""
RESULTS: Final = """
    copy (select rows.row, rows.id, rows.request, rows.columns, answers.task_id,
    answers.body -> 'response' as response
          from rows join answers using (row) order by rows.row)
    to '/dev/null' (format json)
"""


def main(folder: Path, what: str) -> None:
    """Count as `reconcile --offline` does, or write what `results` prints."""
    there = duckdb.connect()
    there.execute("set preserve_insertion_order = false")
    kept = {"rows": "planned", "journal": "seen", "results": "seen"}
    for (place, kind), name in zip(kept.items(), ("rows", "tasks", "answers"), strict=True):
        columns = {
            "fact": "varchar",
            "row": "bigint",
            "id": "varchar",
            "request": "json",
            "columns": "json",
            "task_id": "varchar",
            "body": "json",
        }
        there.execute(
            f"create view {name} as select * from read_json('{folder}/{place}/*.jsonl', columns = {columns}, "
            f"format = 'newline_delimited') where fact = '{kind}'"
        )
    there.execute(ACCOUNT if what == "account" else RESULTS)
    if what == "account":
        print(there.fetchall())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
