"""What a terminal shows, cell by cell, of what a command has written to it."""

import re
from typing import Final

_PART: Final = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n\b])|([^\x1b\r\n\b]+)")


class Screen:
    """A terminal of so many columns that scrolls for ever; it knows the codes that the program may use,
    and no others.
    """

    def __init__(self, columns: int) -> None:
        self._columns, self._lines = columns, [""]
        self._row = self._column = 0
        self.frames: list[list[str]] = []
        """What stood there each time before a line was taken away."""

    def feed(self, shown: str) -> None:
        """Take in what came."""
        end = 0
        for part in _PART.finditer(shown):
            assert part.start() == end, f"no terminal should get {shown[end : part.start()]!r}"
            end = part.end()
            code, letter, move, text = part.groups()
            if letter:
                self._obey(code, letter)
            elif move:
                self._move(move)
            else:
                self._print(text)
        assert end == len(shown), f"no terminal should get {shown[end:]!r}"

    @property
    def lines(self) -> list[str]:
        """What stands on its lines now."""
        return [line.rstrip() for line in self._lines]

    def _obey(self, code: str, letter: str) -> None:
        if letter == "K":
            assert code == "2"
            self.frames.append(self.lines)
            self._lines[self._row] = ""
        else:
            assert letter == "m", f"an unknown code: {code}{letter}"

    def _move(self, move: str) -> None:
        if move == "\r":
            self._column = 0
        elif move == "\b":
            self._column = max(0, self._column - 1)
        else:
            self._down()

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append("")

    def _print(self, text: str) -> None:
        for one in text:
            if self._column == self._columns:
                self._down()
                self._column = 0
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + one + line[self._column + 1 :]
            self._column += 1
