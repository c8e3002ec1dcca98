"""How every command runs: event loop, signals, logging and the exit code are wired here, and nowhere else."""

import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
from click.core import ParameterSource

from mwbatch.cli.ending import WORDS, ended
from mwbatch.cli.logs import start_logging, told
from mwbatch.cli.signals import interruption, obeyed
from mwbatch.core.words.hint import TAKEN_BY, given
from mwbatch.errors import BadValue, Exit, MwbatchError, Poisoned, StoreError, Unsent
from mwbatch.library.settings.environment import proxies
from mwbatch.library.settings.groups import LogFormat, OutputOptions
from mwbatch.views.plain import Result
from mwbatch.views.terminal.folding import folded, matters
from mwbatch.views.terminal.streams import Stream, hurried, take_over

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from mwbatch.commands.context.context import Context

    Command = Callable[[Context], Coroutine[Any, Any, Result]]

UNREACHED: Final = "; check the network and --base-url (MICROWORK_BASE_URL), then run it again"


def perform(command: "Command", talk: OutputOptions, interrupted: Exit = Exit.INTERRUPTED) -> NoReturn:
    """Run one command to its end, print its result, and leave with its exit code.

    ``interrupted`` is the exit code after one Ctrl-C: another for commands that are meant to be ended so.
    """
    asked = StopRequest(interrupted=interrupted)
    _conclude(lambda: _loop(command, talk, asked), talk, asked)


def glance(look: Callable[[Callable[[str], None]], Result], talk: OutputOptions) -> NoReturn:
    """The same for what reads the disk and no more: without an event loop,
    which takes longer to import than to read.

    ``look`` is called with what says sentences to people.
    """

    def tell(sentence: str) -> None:
        if not talk.quiet or matters(sentence):
            say(sentence, talk)

    with obeyed():
        _conclude(lambda: look(tell), talk, StopRequest())


def _conclude(run: Callable[[], Result], talk: OutputOptions, asked: "StopRequest") -> NoReturn:
    start_logging(talk.log_format, verbose=talk.verbose)
    with given(_typed()):
        code = ended(_came_to(run, talk, asked), partial(say, talk=talk, level=logging.ERROR))
    raise click.exceptions.Exit(code)


def _came_to(run: Callable[[], Result], talk: OutputOptions, asked: "StopRequest") -> int:
    """Run it, and print what it came to; the exit code."""
    try:
        result = run()
        show(result, talk)
    except MwbatchError as error:
        return fail(error, talk, asked.exit)
    except KeyboardInterrupt as stopped:
        return _stopped("stopped", interruption(stopped), talk)
    except click.exceptions.Exit as left:
        return left.exit_code
    except Exception:  # noqa: BLE001 (the last line of defence: people get a sentence, we get a trace)
        say(
            f"mwbatch: this is a bug of mwbatch; please report it with these lines:\n{_trace()}",
            talk,
        )
        if talk.json:
            emit_json({"error": "this is a bug of mwbatch", "exit": int(Exit.BUG)})
        return Exit.BUG
    return max(result.exit, asked.exit)


def _stopped(sentence: str, code: Exit, talk: OutputOptions) -> Exit:
    """Say that all ended at once; what standard output has not taken until now nobody waits for."""
    out = standard_output()
    out.patient = False
    say(f"mwbatch: {sentence}", talk)
    if talk.json and not out.waits:  # else half a line stands before it
        emit_json({"error": sentence, "exit": int(code)})
    out.abandon()
    return code


def _typed() -> dict[str, str]:
    """What was typed of where things are, to be said again: a variable will be there next time, too."""
    ctx = click.get_current_context(silent=True)
    if ctx is None:
        return {}
    names = {option: option[2:].removeprefix("callback-").replace("-", "_") for option in TAKEN_BY}
    return {
        option: str(ctx.params[name])
        for option, name in names.items()
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def show(result: Result, talk: OutputOptions) -> None:
    """Print a result: words on standard output,
    or with ``--json`` one object there and the words beside it.
    """
    if not talk.json:
        emit(folded(result.words, sys.stdout) if result.folds else result.words)
        return
    if result.words and not talk.quiet:
        say(result.words, talk)
    if result.value is not None:
        emit_json(result.value)


def fail(error: MwbatchError, talk: OutputOptions, asked: Exit = Exit.DONE) -> Exit:
    """Print an error as one sentence, and as an object with ``--json``; its exit code,
    or that of who ``asked`` to stop.
    """
    code = max(error.exit_code, asked)
    match error:
        case Unsent():
            words = f"{error}{UNREACHED}"
        case BadValue():
            words = error.on_command_line()
        case StoreError() if _lacks_space(error):
            words = f"{error}; free some, then run the same command again"
        case _:
            words = str(error)
    say(f"mwbatch: {words}", talk, logging.ERROR)
    if talk.json:
        emit_json({"error": words, "exit": int(code), **error.fields})
    return code


def _lacks_space(error: StoreError) -> bool:
    """Whether it could not be written because nothing more fits."""
    if isinstance(error, Poisoned):  # it says itself what to do
        return False
    return isinstance(cause := error.__cause__, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}


def standard_output() -> Stream:
    """Standard output, taken over by now also where a verb was called without the program around it."""
    return sys.stdout if isinstance(sys.stdout, Stream) else take_over()[0]


def emit(words: str) -> None:
    """Print on standard output."""
    if words:
        print(words)


def emit_json(value: object) -> None:
    """Print one JSON object on standard output."""
    from mwbatch.core.codec.json_codec import encode

    emit(encode(value).decode())


def _trace() -> str:
    """The trace of the exception at hand, which may quote what was being read."""
    import traceback

    from mwbatch.core.api.address import masked

    return masked(traceback.format_exc())


def say(sentence: str, talk: OutputOptions, level: int = logging.INFO) -> None:
    """Print words for people, on standard error; among JSON lines they are one, too."""
    if talk.log_format is LogFormat.JSON:
        told(sentence, level)
    else:
        print(folded(sentence, sys.stderr), file=sys.stderr)


@dataclass(slots=True)
class StopRequest:
    """Which signal asked to stop, as an exit code; ``DONE`` for none. ``interrupted`` is that of Ctrl-C.

    ``at_once``: nothing is finished any more. ``sending`` says whether requests were under way then.
    """

    exit: Exit = Exit.DONE
    interrupted: Exit = Exit.INTERRUPTED
    at_once: bool = False
    sending: bool = False

    @property
    def said(self) -> str:
        """What it means that all ended at once."""
        if self.sending:
            return "stopped at once; what had left unanswered is in doubt now, and running it again is safe"
        return "stopped; nothing was in flight, and running it again is safe"


def _loop(command: "Command", talk: OutputOptions, asked: StopRequest) -> Result:
    """Run the command in an event loop, uvloop's where it installs."""
    import asyncio

    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None
    with suppress(ImportError):
        from uvloop import new_event_loop as new_loop
    with hurried(lambda: asked.exit is not Exit.DONE), asyncio.Runner(loop_factory=new_loop) as runner:
        runner.get_loop().set_default_executor(_threads(asked))
        try:
            return runner.run(_watched(command, talk, asked))
        except (KeyboardInterrupt, asyncio.CancelledError) as stopped:
            asked.at_once = True
            code = _stopped(asked.said, max(asked.exit, interruption(stopped)), talk)
            raise click.exceptions.Exit(code) from None


def _threads(asked: StopRequest) -> "ThreadPoolExecutor":
    """Where `asyncio.to_thread` reads and writes.

    Whoever wants all to end at once does not wait for what is read there.
    """
    from concurrent.futures import ThreadPoolExecutor

    class Threads(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait and not asked.at_once, cancel_futures=cancel_futures or asked.at_once)

    return Threads(thread_name_prefix="mwbatch")


async def _watched(command: "Command", talk: OutputOptions, asked: StopRequest) -> Result:
    """Run the command where signals are heard and its tally is seen."""
    from mwbatch.commands.context.context import Context
    from mwbatch.views.terminal.progress import shown

    ctx = click.get_current_context(silent=True)
    words = ctx.meta[WORDS] if ctx else sys.argv[1:]
    context = Context(command=("mwbatch", *words), proxies=proxies())
    listen(context, asked, talk)
    say = told if talk.log_format is LogFormat.JSON else None
    async with shown(context.tally, quiet=talk.quiet, say=say):
        return await command(context)


def listen(context: "Context", asked: StopRequest, talk: OutputOptions) -> None:
    """First Ctrl-C, SIGTERM or end of the terminal: stop starting, finish what is in flight. Second:
    stop now.

    Where nothing is in flight there is nothing to wait for, and already the first one is obeyed at once. One
    more than that ends the process, whatever holds it up.
    """
    import asyncio

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def heed(code: Exit) -> None:
        asked.exit = asked.exit or code
        if task.cancelling():  # something that was told to end does not: a resume is safe after kill -9, too
            os._exit(_stopped(asked.said, asked.exit, talk))
        if context.stopping.is_set() or not context.finishing:
            asked.sending = bool(context.finishing)
            context.stopping.set()
            task.cancel()
            return
        context.stopping.set()
        context.tally.note("stopping: what is in flight is finished first; once more to stop at once")

    loop.add_signal_handler(signal.SIGINT, heed, asked.interrupted)
    loop.add_signal_handler(signal.SIGTERM, heed, Exit.TERMINATED)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # who began it with nohup wants it to go on
        loop.add_signal_handler(signal.SIGHUP, heed, Exit.TERMINATED)
