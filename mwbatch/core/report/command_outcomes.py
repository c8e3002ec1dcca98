"""What commands came to, as plain values: the views turn them into words and JSON."""

from dataclasses import dataclass, field

from mwbatch.core.pace.course import INTERRUPTED, Ending
from mwbatch.core.report.agreement import Differing
from mwbatch.core.report.checked import Checked
from mwbatch.core.report.progress import Report
from mwbatch.core.words.plural import rows
from mwbatch.errors import Exit


@dataclass(frozen=True, slots=True)
class Created(Checked):
    """What a run of creating came to: why it ended if it ended early, and why something stays open.

    ``skipped`` rows of the manifest had mistakes and were put aside; ``left_out`` were asked for before, and
    the user wanted only what is new.
    """

    report: Report
    ending: Ending
    reasons: tuple[str, ...] = ()
    skipped: int = 0
    left_out: int = 0

    @property
    def exit(self) -> Exit:
        """Done when every row has a task or is final, and none was put aside."""
        aside = Exit.ROWS if self.skipped else Exit.DONE
        return max(aside, self.ending.exit, self.report.exit(done=self.report.submitted))

    def why(self) -> str:
        """Why it is not done, in words."""
        return _told(self.report, self.ending.reason, *self.reasons, _aside(self.skipped))


@dataclass(frozen=True, slots=True)
class Ran(Checked):
    """What creating and receiving in one process came to; ``fetched`` answers came by asking."""

    report: Report
    ending: Ending
    fetched: int
    reasons: tuple[str, ...] = ()
    skipped: int = 0
    left_out: int = 0

    @property
    def exit(self) -> Exit:
        """Done when nothing is planned, doubtful or pending, and no row of the manifest was put aside."""
        aside = Exit.ROWS if self.skipped else Exit.DONE
        return max(aside, self.ending.exit, self.report.exit(done=not self.report.unfinished))

    def why(self) -> str:
        """Why it is not done, in words."""
        return _told(self.report, self.ending.reason, *self.reasons, _aside(self.skipped))


@dataclass(frozen=True, slots=True)
class Canceled(Checked):
    """What became of rows that the user gave up.

    ``withdrawn`` rows get no further attempt, ``canceled`` tasks nobody works at any more; ``doubtful`` rows
    may have a task that has not shown yet. ``kept`` says of each row or task why it could not be given up.
    ``interrupted``: the user asked to stop before all was done.
    """

    report: Report
    withdrawn: int
    canceled: int
    doubtful: int = 0
    kept: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def exit(self) -> Exit:
        """Done when none of the rows can become a task any more, and no task of them goes on."""
        if self.report.damaged_lines:
            return Exit.MACHINE
        if self.doubtful or self.interrupted:
            return Exit.UNFINISHED
        return Exit.ROWS if self.kept else Exit.DONE

    def why(self) -> str:
        """What of the rows goes on, in words."""
        doubtful = f"{rows(self.doubtful)} may have a task that has not shown yet" if self.doubtful else ""
        return _told(self.report, INTERRUPTED if self.interrupted else "", doubtful, *self.kept)


@dataclass(frozen=True, slots=True)
class Made(Checked):
    """An annotating manifest that was written to ``path``: ``rows`` that ask about ``tags``.

    Left out are tags that were ``filtered``, ``beyond`` the most of an image, or ``unusable``, and the images
    ``without`` any left; ``waiting`` tagging rows have no answer yet. Of the rows ``expired`` have a picture
    whose signed URL has expired, and ``expiring`` one whose URL will within a day. ``single``: its question
    has one answer only, knowingly. ``name`` is what its batch will be called, and ``later`` the path of
    another one that may be made once more rows are answered.
    """

    batch: str
    path: str
    rows: int
    tags: int
    images_without: int
    filtered: int
    beyond: int
    unusable: int
    waiting: int
    expired: int = 0
    expiring: int = 0
    single: bool = False
    name: str = ""
    later: str = ""

    @property
    def exit(self) -> Exit:
        """Done: whatever has an answer was looked at."""
        return Exit.DONE

    def why(self) -> str:
        """Nothing: it is always done."""
        return ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the API's listing says about the whole span of a batch.

    ``paid_twice`` counts tasks beyond one a row that are not canceled; None where no listing could be
    believed, for the ``reasons`` given. ``listed`` tasks were there in all at ``at``, the server's clock (ISO
    8601); among them, at their addresses, ``covers`` of the ``known`` tasks of the batch. Only a listing that
    shows all of them is believed.
    """

    paid_twice: int | None = None
    listed: int = 0
    at: str | None = None
    reasons: tuple[str, ...] = ()
    covers: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows of the file that the batch lacks (``added``), of the batch that the file lacks (``gone``),
    and ``changed``.
    """

    path: str
    added: int
    gone: int
    changed: int


@dataclass(slots=True)
class Reconciled(Checked):
    """What a reconciliation found and did.

    ``fetched`` answers came from the API, ``taken_in`` facts from the inbox; ``canceled`` tells of each
    surplus task; ``reasons`` say why something stays open; ``distrusted``: tasks came of attempts that sweeps
    had not found; ``differing`` are the tasks whose stored answer the API lists otherwise, ``unanswered``
    those of which it says that it has none; ``unproved``: the user does without a proof, as one must whose
    API never shows our addresses.
    """

    report: Report
    fetched: int = 0
    taken_in: int = 0
    canceled: tuple[str, ...] = ()
    reasons: list[str] = field(default_factory=list)
    distrusted: bool = False
    proof: Proof | None = None
    comparison: Comparison | None = None
    differing: tuple[Differing, ...] = ()
    unanswered: tuple[Differing, ...] = ()
    unproved: bool = False

    @property
    def exit(self) -> Exit:
        """Done when nothing is planned, doubtful or pending,
        and a listing could be believed if one was asked for.

        A row is not done whose answer the API does not have.
        """
        proved = self.proof is None or self.proof.paid_twice is not None or self.unproved
        open_ = self.report.unfinished or self.unanswered or self.distrusted
        return self.report.exit(done=proved and not open_)

    def why(self) -> str:
        """What is open, or not proved, in words."""
        proof = self.proof.reasons if self.proof and self.proof.paid_twice is None else ()
        return _told(self.report, *dict.fromkeys((*self.reasons, *proof)))


@dataclass(frozen=True, slots=True)
class ResultsWritten:
    """Results that were written to a file: how many lines, and where the batch stood."""

    report: Report
    path: str
    written: int


def _told(report: Report, *reasons: str) -> str:
    """Why a command came to less than it was for: the reasons that it names, and where the batch stands."""
    return "; ".join(filter(None, (*reasons, report.why())))


def _aside(skipped: int) -> str:
    return f"{rows(skipped)} put aside because of mistakes" if skipped else ""
