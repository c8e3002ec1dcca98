"""A machine whose power fails: disks that remember what was synced, and what may be left of the rest.

The files are real ones; beside them stands what a power cut would leave for certain: of each file the bytes,
of each folder the names. Everything else may or may not be there: of unsynced bytes a part, also with zeros
or rubbish in it, of names made, changed or removed any choice. After a failed sync the kernel shows bytes
that the disk will never have (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
"""

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.support.disks import Failing, Fate


@dataclass(eq=False)
class Node:
    """One file: what is durable of it, what is read of it,
    and every state in which it was since the last sync.
    """

    path: Path
    durable: bytes = b""
    content: bytes = b""
    states: list[bytes] = field(default_factory=list)
    holes: list[tuple[int, int]] = field(default_factory=list)
    """Bytes that the kernel calls clean and the disk lacks."""
    errors: int = 0
    told: int = 0
    """How many errors of syncing there were, and of how many its writer knows:
    each descriptor is told of each once.
    """
    failed: bool = False
    """After this MUST its writer append nothing."""

    def become(self, content: bytes) -> None:
        """Change what is read; nothing of it is durable yet."""
        self.holes = [(first, min(end, len(content))) for first, end in self.holes if first < len(content)]
        self.content = content
        self.states.append(content)

    def settle(self) -> None:
        """Make durable what the kernel knows to be dirty."""
        image = bytearray(self.content)
        for first, end in self.holes:
            image[first:end] = bytes(end - first)
        self.durable, self.states = bytes(image), []

    def lose(self) -> None:
        """Fail a sync: what was dirty is called clean."""
        self.errors += 1
        if len(self.content) > len(self.durable):
            self.holes.append((len(self.durable), len(self.content)))

    def forget(self) -> None:
        """Show what the disk has in the place of what memory held."""
        if self.holes:
            self.content, self.holes = self.durable.rstrip(b"\0"), []
            self.path.write_bytes(self.content)

    def left(self, chance: Random) -> bytes:
        """What may be left of it after a power cut."""
        state = chance.choice([self.durable, *self.states])
        safe = min(len(self.durable), len(state))
        image = bytearray(state[: chance.randint(safe, len(state))])
        first = chance.randint(safe, len(image))
        end = chance.randint(first, len(image))
        match chance.choice(["prefix", "zeros", "rubbish"]):
            case "zeros":
                image[first:end] = bytes(end - first)
            case "rubbish":
                image[first:end] = chance.randbytes(end - first)
        return bytes(image)


GONE: Final = Node(Path())
"""What stands under a name that is not there."""


class Machine:
    """Some processes with one folder. ``offences`` are appends to a file after an error that forbids them."""

    def __init__(self, root: Path) -> None:
        self.root, self.lock = root, threading.RLock()
        self.inodes: dict[int, Node] = {}
        self.names: dict[Path, dict[str, Node | None]] = {}
        self.offences: list[str] = []
        self.countdown: tuple[int, Random] | None = None
        self.left: Machine | None = None
        root.mkdir()
        self.names[root] = {}

    @property
    def dead(self) -> bool:
        """Whether the power has failed: ``left`` is the machine as it starts again."""
        return self.left is not None

    def tick(self) -> None:
        """Count a call of a disk; raises OSError once the power has failed, which it may do now."""
        if self.countdown is not None:
            calls, chance = self.countdown
            self.countdown = (calls - 1, chance) if calls else None
            if not calls:
                self.fail(chance)
        if self.dead:
            raise OSError(errno.EIO, "the power failed")

    def fail(self, chance: Random) -> None:
        """Cut the power, and find out what is left."""
        again = Machine(self.root.with_name(f"{int(self.root.name) + 1}"))
        self._leave(self.root, again.root, again, chance)
        self.left = again

    def _leave(self, folder: Path, there: Path, again: "Machine", chance: Random) -> None:
        kept, now = self.names.get(folder, {}), self.listed(folder)
        names = again.names.setdefault(there, {})
        for name in sorted({*kept, *now}):
            node = chance.choice([among.get(name, GONE) for among in (kept, now)])
            if node is None:
                (there / name).mkdir()
                names[name] = None
                self._leave(folder / name, there / name, again, chance)
            elif node is not GONE:
                names[name] = again.found(there / name, node.left(chance))

    def found(self, path: Path, content: bytes) -> Node:
        """Put a durable file there."""
        path.write_bytes(content)
        node = Node(path, content, content)
        self.inodes[path.stat().st_ino] = node
        return node

    def listed(self, folder: Path) -> dict[str, Node | None]:
        """The names in a folder as they are read now; files that no `CrashDisk` made are passed over."""
        if not folder.is_dir():
            return {}
        with os.scandir(folder) as entries:
            there = {entry.name: (entry.is_dir(), entry.inode()) for entry in entries}
        return {
            name: None if is_dir else self.inodes[inode]
            for name, (is_dir, inode) in there.items()
            if is_dir or inode in self.inodes
        }

    def certain(self, folder: Path | None = None) -> Iterator[bytes]:
        """What every file holds that a power cut leaves in any case."""
        folder = folder or self.root
        for name, node in self.names.get(folder, {}).items():
            if node is None:
                yield from self.certain(folder / name)
            else:
                yield node.durable


class CrashDisk(Failing):
    """The disk as one process of a machine calls it; it meets its fates as `Failing` does."""

    def __init__(self, machine: Machine, **fates: Sequence[Fate]) -> None:
        super().__init__(**fates)
        self._machine = machine
        self._open: dict[int, Node] = {}
        self._reads: dict[int, tuple[Node, int]] = {}

    def kill(self) -> None:
        """End the process: its files are closed, what it wrote stays in memory."""
        for file in self._open:
            os.close(file)
        self._open.clear()

    def create(self, path: Path) -> int:
        """Create a file whose name is not durable."""
        with self._machine.lock:
            self._machine.tick()
            file = super().create(path)
            self._open[file] = self._machine.inodes[os.fstat(file).st_ino] = Node(path)
            return file

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        """Append bytes that are not durable."""
        with self._machine.lock:
            self._machine.tick()
            node = self._open[file]
            if node.failed:
                self._machine.offences.append(f"{node.path.name} was appended to after an error")
            try:
                taken = super().write(file, chunk)
            except OSError as error:
                node.failed = node.failed or error.errno == errno.EIO
                raise
            node.become(node.content + bytes(chunk[:taken]))
            return taken

    def sync(self, file: int) -> None:
        """Make the bytes of a file durable, or lose them for good."""
        with self._machine.lock:
            self._machine.tick()
            node = self._open[file]
            try:
                self._settle(node, "sync", node.told)
            except OSError:
                node.failed, node.told = True, node.errors
                raise

    def settle(self, file: int) -> None:
        """The same for a file of another process."""
        with self._machine.lock:
            self._machine.tick()
            node = self._machine.inodes[os.fstat(file).st_ino]
            reading, told = self._reads.pop(file, (node, node.errors))
            self._settle(node, "settle", told if reading is node else node.errors)

    def _settle(self, node: Node, name: str, told: int) -> None:
        try:
            self._meet(name)
        except OSError:
            node.lose()
            raise
        if node.errors > told:
            node.lose()
            raise OSError(errno.EIO, "somebody else's sync failed")
        node.settle()

    def forget(self, file: int) -> None:
        """Let reads show the disk."""
        with self._machine.lock:
            self._machine.tick()
            node = self._machine.inodes[os.fstat(file).st_ino]
            node.forget()
            self._reads[file] = node, node.errors

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        with self._machine.lock:
            self._machine.tick()
            if not folder.is_dir():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._meet("settle")
            self._machine.names[folder] = self._machine.listed(folder)

    def truncate(self, file: int, size: int) -> None:
        """Cut; the bytes behind may come back in a power cut."""
        with self._machine.lock:
            self._machine.tick()
            node = self._open[file]
            try:
                super().truncate(file, size)
            except OSError:
                node.failed = True
                raise
            node.become(node.content[:size])

    def look(self, path: Path, file: int) -> int:
        """Look."""
        with self._machine.lock:
            self._machine.tick()
            return super().look(path, file)

    def close(self, file: int) -> None:
        """Close a file, in whatever state it is."""
        with self._machine.lock:
            del self._open[file]
            super().close(file)
