"""The dates that the API states: in the reference's form, by a clock of their own,
or in a form that others use.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Final

from mwbatch.simulator.world.chance import fraction
from mwbatch.simulator.world.faults import Fault, Form, Size


@dataclass(frozen=True, slots=True)
class Dates:
    """How the dates of a task are stated.

    Attributes:
        offset_s: seconds by which the clock that dates tasks is ahead of the one in the ``Date`` header;
            listings go by it too.
        zone_s: seconds by which local time is ahead of UTC; listings do not go by it.
        form: how a moment is written.
    """

    offset_s: float = 0.0
    zone_s: float = 0.0
    form: Form = Form.ZULU

    def say(self, moment: float) -> str | int:
        """Write epoch seconds."""
        return stated(moment + self.offset_s + self.zone_s, self.form)


USUAL: Final = Dates()
"""The reference's own."""


def milliseconds(moment: float) -> int:
    """Turn epoch seconds into whole epoch milliseconds."""
    return round(moment * 1000)


def iso(moment: float) -> str:
    """Write epoch seconds as the API does: ``2017-04-14T12:00:00.000Z``."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stated(moment: float, form: Form) -> str | int:
    """Write epoch seconds in a form; only ``dotted`` (``14.04.2017 12:00``) leaves anything to guess."""
    return _WRITERS[form](moment)


def of_task(size: Size, marks: frozenset[Fault], address: str) -> Dates:
    """Say how the dates of a task are stated that was created with an address and befallen by ``marks``."""
    if not marks:
        return USUAL
    form = Form.NAIVE if Fault.CREATED_AT_LOCAL in marks else Form.ZULU
    if Fault.CREATED_AT_FORM in marks:
        form = size.created_at_form or tuple(Form)[int(fraction("form", address) * len(Form))]
    return Dates(
        offset_s=size.created_at_offset_s if Fault.CREATED_AT_APART in marks else 0.0,
        zone_s=size.created_at_zone_s if Fault.CREATED_AT_LOCAL in marks else 0.0,
        form=form,
    )


_WRITERS: Final[Mapping[Form, Callable[[float], str | int]]] = {
    Form.ZULU: iso,
    Form.WHOLE: lambda moment: iso(moment)[:-5] + "Z",
    Form.FINE: lambda moment: iso(moment)[:-1] + "000000Z",
    Form.ZONED: lambda moment: iso(moment + 7200)[:-1] + "+02:00",
    Form.NAIVE: lambda moment: iso(moment)[:-1],
    Form.BLANK: lambda moment: iso(moment)[:-5].replace("T", " "),
    Form.SECONDS: int,
    Form.MILLISECONDS: milliseconds,
    Form.HTTP: lambda moment: formatdate(int(moment), usegmt=True),
    Form.DOTTED: lambda moment: datetime.fromtimestamp(moment, UTC).strftime("%d.%m.%Y %H:%M"),
}
