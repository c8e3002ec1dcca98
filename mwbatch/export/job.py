"""What every format is told besides the pictures."""

from dataclasses import dataclass

from mwbatch.export.categories import Categories, by_of
from mwbatch.export.choices import By
from mwbatch.export.names import Names
from mwbatch.export.picture import Picture, Tag


@dataclass(frozen=True, slots=True)
class Job:
    """``batch`` is its name, ``columns`` the manifest's own;
    ``by`` is what the user wants categories to be named by.
    """

    batch: str
    columns: tuple[str, ...]
    names: Names
    categories: Categories
    by: By | None = None

    def category(self, picture: Picture, tag: Tag) -> str:
        """The name of a tag's category."""
        return tag.category(by_of(picture.type, self.by))

    def number(self, picture: Picture, tag: Tag) -> int:
        """The number of a tag's category, from 0."""
        return self.categories.number(self.category(picture, tag))
