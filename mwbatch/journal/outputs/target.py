"""What is written for the user: one file, or a folder of files.

All of it through descriptors, none through a name.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, Protocol

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Target(Protocol):
    """Where an export goes."""

    near: Path
    """A folder on the same file system, for what is needed meanwhile."""

    is_folder: bool

    def open(self, name: str = "", within: str = "") -> BinaryIO:
        """The file itself; of a folder the new file of this name,
        ``within`` a folder of it that is made if need be.
        """
        ...

    def folder(self, name: str) -> int:
        """Make a folder in a folder, if need be; its descriptor."""
        ...


class OneFile:
    """A file that was made; its name within a folder is no matter."""

    is_folder = False

    def __init__(self, file: int, path: Path) -> None:
        self._file, self.near = file, path.parent

    def open(self, name: str = "", within: str = "") -> BinaryIO:  # noqa: ARG002 (as `Target` has it)
        """It."""
        return os.fdopen(os.dup(self._file), "wb")

    def folder(self, name: str) -> int:
        """No format that goes to a file asks for one."""
        raise NotADirectoryError(name)


class OneFolder:
    """A folder that was made, and is new."""

    is_folder = True

    def __init__(self, file: int, path: Path) -> None:
        self.near = path
        self._folders, self._held = {"": file}, ExitStack()

    def open(self, name: str = "", within: str = "") -> BinaryIO:
        """Make a file in it."""
        return os.fdopen(os.open(name, _NEW, 0o666, dir_fd=self.folder(within)), "wb")

    def folder(self, name: str) -> int:
        """The descriptor of a folder in it, made if need be."""
        if name not in self._folders:
            os.mkdir(name, dir_fd=self._folders[""])
            file = self._folders[name] = os.open(name, _FOLDER, dir_fd=self._folders[""])
            self._held.callback(os.close, file)
        return self._folders[name]

    def close(self) -> None:
        """Close what it has opened."""
        self._held.close()
