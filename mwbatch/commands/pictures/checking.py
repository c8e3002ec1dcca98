"""Whether the pictures of a manifest can be fetched, before people are paid to look at them."""

from collections.abc import Callable
from typing import Final

from mwbatch.client.images import Images
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.run_all import run_all
from mwbatch.commands.manifest.manifests import Manifest
from mwbatch.core.facts.digests import Digests, named
from mwbatch.core.manifest.entry import Entry, Problem

AT_ONCE: Final = 32
"""Pictures that are asked for at the same time."""


async def check_images(manifest: str, rows: int, context: Context, wrong: Callable[[Problem], None]) -> int:
    """Ask for every picture once, however many rows show it, and report those that cannot be fetched;
    returns how many.

    ``rows`` is how many the manifest has. It ends early when the user asks to stop.
    """
    tally, known, missing = context.tally, Digests(), 0
    tally.begin("checking images", rows)
    async with Images(AT_ONCE, context.proxies) as images, Manifest(manifest).chunks() as chunks:
        async for chunk in chunks:
            entries = [one for one in chunk if isinstance(one, Entry)]
            fresh = [entry for entry in entries if _is_new(known, entry)]
            tally.done += len(entries) - len(fresh)
            problems = await _ask(images, fresh, context)
            missing += len(problems)
            for problem in sorted(problems, key=lambda problem: problem.line):
                wrong(problem)
            if context.stopping.is_set():
                break
    return missing


def _is_new(known: Digests, entry: Entry) -> bool:
    count = len(known)
    return known.add(named(entry.request["image_url"])) == count


async def _ask(images: Images, entries: list[Entry], context: Context) -> list[Problem]:
    """Look at some pictures, several at a time."""
    remaining, problems = iter(entries), list[Problem]()

    async def work() -> None:
        for entry in remaining:
            if context.stopping.is_set():
                return
            if reason := await images.unreachable(entry.request["image_url"]):
                told = f"cannot be fetched: {reason} (people could not see it)"
                problems.append(Problem(entry.line, "image_url", told))
            context.tally.done += 1

    await run_all([work() for _ in range(min(AT_ONCE, len(entries)))])
    return problems
