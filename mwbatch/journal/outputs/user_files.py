"""Where users want something written: whole or not at all, and never over anything of theirs.

A path that has something is refused. With ``force`` what mwbatch wrote is replaced, known by its content
(`ours`), and nothing else: no file that somebody changed, no link, no manifest that a batch names, whatever
name leads to it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mwbatch.core.words.hint import typed
from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.files.disk import DISK
from mwbatch.journal.files.replacing import Make, Staged, aside, make_folder, make_public, names_in
from mwbatch.journal.interface.ref import usable
from mwbatch.journal.interface.store import Store
from mwbatch.journal.outputs.placing import Changed, free, place, seen
from mwbatch.journal.outputs.target import OneFile, OneFolder

_SYSTEM: Final = ("/dev/", "/proc/", "/sys/")
"""Where the system shows devices and itself: nothing is kept there, and no name there is free."""

_MEMORY: Final = "/dev/shm/"  # noqa: S108 (to write there, or not, is the user's wish)
"""The file system in memory, which is one."""

Manifests = dict[tuple[int, int] | None, str]
"""Batches by the device and the inode of their manifest."""


@dataclass(frozen=True, slots=True)
class Output:
    """One path. ``entries``: the names that mwbatch gives to what it writes into folders."""

    store: Store
    path: Path
    force: bool = False
    entries: frozenset[str] = field(default=frozenset())

    def check(self, *, folder: bool = False) -> None:
        """Raise `UsageError` where a file, or a ``folder``, may not be put at the path.

        Blocks while it reads what is there.
        """
        path = self.path
        if str(path) == "-":
            raise UsageError(
                "-o -: this goes to a file, which is there whole or not at all; name one (./- is one)"
            )
        if path.name in ("", ".."):
            raise UsageError(f"-o {path}: name the file or folder to be made")
        if _is_special(path):
            raise UsageError(
                f"-o {path}: that is for devices, pipes or sockets; what is written with -o is there whole "
                f"or not at all: name a file"
            )
        try:
            there = path.parent.is_dir()
        except OSError as error:  # nobody may look in there
            raise UsageError(
                f"-o {path}: {error.strerror or error}; name a folder that you may write in"
            ) from None
        if not there:
            raise UsageError(f"-o {path}: there is no folder {path.parent}; make it first")
        if self.store.written.claims(path):
            raise UsageError(
                f"{path} is a place that the home {self.store.where} has for itself; choose another path"
            )
        if not os.path.lexists(path):
            return
        manifests = self._manifests()
        if path.is_dir() and not path.is_symlink():
            self._check_folder(manifests, folder=folder)
        else:
            self._check_one(path, manifests)
        if not self.force:
            raise UsageError(f"{path} is there already; what mwbatch wrote there is replaced with --force")

    def _check_folder(self, manifests: Manifests, *, folder: bool) -> None:
        there = names_in(self.path)
        strange, ours = there - self.entries, there & self.entries
        if (strange and not folder) or (not ours and (strange or not folder)):
            raise UsageError(
                f"{self.path} is a folder with files that no export wrote, or with none, and is left alone; "
                f"{self._another()}"
            )
        for name in sorted(ours):
            self._check_one(self.path / name, manifests, within=True)

    def _check_one(self, path: Path, manifests: Manifests, *, within: bool = False) -> None:
        """Raise `UsageError` where one file or folder is not ours to replace."""
        if batch := manifests.get(_file_at(path)):
            why = f"is the manifest of batch {batch}"
        elif path.is_symlink():
            why = "is a link: nothing is written through one"
        elif self.store.written.knows(path):
            return
        else:
            why = f"is yours: nothing in {self.store.where} says that mwbatch wrote it as it stands"
        way = self._another()
        if within:
            names = typed(path, free(path, "mine"))
            way = f"{way}, or move it away and run this with --force:\n  mv -n {names}"
        raise UsageError(f"{path} is there already and {why}; {way}")

    def _another(self) -> str:
        return f"choose another path, such as -o {typed(free(self.path))}"

    def _manifests(self) -> Manifests:
        """The batch of each manifest that one names, by the file that it is, whatever it is called."""
        there = {_file_at(Path(ref.info.manifest)): ref.info.name for ref in usable(self.store.batches())}
        there.pop(None, None)
        return there

    @contextmanager
    def file(self) -> Iterator[OneFile]:
        """A file to write.

        After the block it is durable and stands at the path, after an error nothing has changed.

        Raises:
            UsageError: it may not be put there, perhaps since a moment ago.
            StoreError: this machine cannot write it.
        """
        with self._new(make_public) as new:
            yield OneFile(new.file, new.path)
            DISK.settle(new.file)
            self._place(new, new.path)

    @contextmanager
    def folder(self) -> Iterator[OneFolder]:
        """The same for a folder."""
        with self._new(make_folder) as new:
            target = OneFolder(new.file, new.path)
            try:
                yield target
            finally:
                target.close()
            os.sync()  # one call for what may be a million files, where as many fsyncs would take hours
            self._place(new, *(new.path / name for name in names_in(new.file)))

    @contextmanager
    def _new(self, make: Make) -> Iterator[Staged]:
        try:
            with aside(self.path, make=make) as new:
                yield new
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _place(self, new: Staged, *made: Path) -> None:
        """Give it its place, if it may have that still.

        MUST be known as ours before anybody finds it there.
        """
        is_folder, before = new.path.is_dir(), seen(self.path, self.entries)
        self.check(folder=is_folder)
        self.store.written.note(*((one, self.path / one.name if is_folder else self.path) for one in made))
        try:
            place(new, self.entries, before)
        except (Changed, FileExistsError):
            self.check(folder=is_folder)
            raise UsageError(f"{self.path} changed meanwhile; run the same command again") from None


def _is_special(path: Path) -> bool:
    """Whether what is there, be it through a link, is neither a file nor a folder, or stands among such."""
    here = os.path.abspath(path)  # noqa: PTH100 (Path would not resolve "..")
    if here.startswith(_SYSTEM) and not here.startswith(_MEMORY):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file is found at a path, through links; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
