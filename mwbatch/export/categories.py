"""Categories: names with numbers that do not change when more rows are completed."""

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.kinds import Planned, Seen
from mwbatch.core.report.result_line import sent_tags
from mwbatch.export.choices import By
from mwbatch.export.picture import answered_tags, mentions


def by_of(type_: str, asked: By | None) -> By:
    """What names a category: what was asked for,
    else the label of an annotating row and the brand of a tagging one.
    """
    return asked or (By.LABEL if type_ == "annotating" else By.BRAND)


class Categories:
    """Every name, numbered from 0 in the order in which the journal first mentioned it.

    A fact that comes later is dated later, so a new name gets the next number. The options of an annotating
    row are mentioned when the row is planned, chosen or not; a brand when the first answer that names it is
    stored, even if another answer of that row is shown.
    """

    def __init__(self, asked: By | None = None) -> None:
        self._asked = asked
        self._annotating = bytearray()
        self._since: dict[str, tuple[float, int, int]] = {}
        self._numbers: dict[str, int] | None = None

    def plan(self, planned: Planned) -> None:
        """Learn what a planned row mentions."""
        if (missing := planned.row + 1 - len(self._annotating)) > 0:
            self._annotating.extend(bytes(missing))
        self._annotating[planned.row] = planned.type == "annotating"
        if planned.type == "annotating":
            if by_of(planned.type, self._asked) is By.LABEL:
                options = planned.request.get("annotation_option", ())
                self._mention(planned, [{"label": option} for option in options], By.LABEL)
            else:
                self._mention(planned, list(sent_tags(planned).values()), By.BRAND)

    def hear(self, answer: Seen) -> None:
        """Learn what an answer mentions; brands of annotated tags were mentioned by their rows."""
        annotating = answer.row < len(self._annotating) and self._annotating[answer.row]
        by = by_of("annotating" if annotating else "tagging", self._asked)
        if not (annotating and by is By.BRAND):
            self._mention(answer, answered_tags(answer) or [], by)

    def number(self, name: str) -> int:
        """The number of a name; one that nobody mentioned before gets the next."""
        numbers = self._settled()
        return numbers.setdefault(name, len(numbers))

    def names(self) -> list[str]:
        """The names by number."""
        return list(self._settled())

    def _mention(self, fact: Planned | Seen, tags: list[dict[str, Json]], by: By) -> None:
        """MUST not depend on what else was read before: a name stands where its own first mention puts it."""
        for place, name in enumerate(mentions(tags, by)):
            when = (fact.at, fact.row, place)
            self._since[name] = min(when, self._since.get(name, when))

    def _settled(self) -> dict[str, int]:
        if self._numbers is None:
            ordered = sorted(self._since, key=lambda name: self._since[name])
            self._numbers = {name: number for number, name in enumerate(ordered)}
        return self._numbers
