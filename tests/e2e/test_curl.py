"""The curl commands of the API's reference, typed as they stand there,
with the simulator's address in them.
"""

import json
import subprocess
from typing import Any

import pytest

from tests.e2e.support.stage import KEY, Stage

pytestmark = pytest.mark.system

TAGGING = """
curl -X POST "https://api.microwork.io/v1/task/images/tagging" \\
     -u "MICROWORK_API_KEY:" \\
     -d callback_url="http://www.example.com/callback" \\
     -d objects_to_tag="brands" \\
     -d image_url="https://ibb.co/fmMFRQ"
"""
ANNOTATING = """
curl -X POST "https://api.microwork.io/v1/task/images/tags/annotating" \\
     -u "MICROWORK_API_KEY:" \\
     -d callback_url="http://www.example.com/callback" \\
     -d image_url="https://ibb.co/fmMFRQ" \\
     -d instruction="Detect if tag is **good**, **bad**, or **great**." \\
     -d annotation_option="good" \\
     -d annotation_option="bad" \\
     -d annotation_option="great" \\
     -d tags[0][id]="nk5DHouybZD2MvGqX" \\
     -d tags[0][left]=1408 \\
     -d tags[0][top]=0 \\
     -d tags[0][width]=601 \\
     -d tags[0][height]=121
"""
RETRIEVE = 'curl "https://api.microwork.io/v1/task/{task_id}" -u "MICROWORK_API_KEY:"'
# The reference's own command ends in a stray brace.
CANCEL = 'curl -X POST "https://api.microwork.io/v1/task/{task_id}/cancel}" -u "MICROWORK_API_KEY:"'
LIST = 'curl "https://api.microwork.io/v1/tasks" -u "MICROWORK_API_KEY:"'

CREATED = {"task_id", "created_at", "callback_url", "type", "status", "image_url"}


def curl(stage: Stage, command: str, task_id: str = "") -> dict[str, Any]:
    """Run a command of the reference; the task id takes the place of its name,
    the simulator that of the API.
    """
    assert stage.api is not None
    typed = command.replace("{task_id}", task_id).replace("MICROWORK_API_KEY", KEY)
    typed = typed.replace("https://api.microwork.io", stage.api.url).replace(
        "curl ", "curl -sS --globoff ", 1
    )
    done = subprocess.run(["sh", "-c", typed], capture_output=True, timeout=20, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_create(patient: Stage) -> None:
    """Both kinds of task are created, flat, as the reference shows them."""
    tagging, annotating = curl(patient, TAGGING), curl(patient, ANNOTATING)
    assert set(tagging) == CREATED | {"objects_to_tag"}
    assert set(annotating) == CREATED | {"instruction", "options", "tags"}
    assert (tagging["status"], tagging["objects_to_tag"]) == ("pending", "brands")
    assert annotating["options"] == ["good", "bad", "great"]
    assert annotating["tags"] == [
        {"id": "nk5DHouybZD2MvGqX", "left": 1408, "top": 0, "width": 601, "height": 121}
    ]


def test_look_and_cancel(patient: Stage) -> None:
    """A task is retrieved, listed and canceled with its inputs under `params`."""
    made = curl(patient, TAGGING)
    shown = curl(patient, RETRIEVE, made["task_id"])
    assert shown["params"] == {"image_url": made["image_url"], "objects_to_tag": "brands"}
    assert (shown["status"], curl(patient, LIST)["docs"][0]["task_id"]) == ("pending", made["task_id"])
    assert curl(patient, CANCEL, made["task_id"])["status"] == "canceled"
