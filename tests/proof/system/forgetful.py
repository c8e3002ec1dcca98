# ruff: noqa: ARG002 (the signatures are mfusepy's)
"""``python -m tests.proof.system.forgetful MOUNTPOINT STORE``:
a file system that forgets in a power cut what was not synced.

Killing it is the power cut. ``STORE`` is its disk: there stands what `fsync` and `fsyncdir` made durable,
bytes and names apart, and from there it begins again.
"""

import errno
import os
import pickle
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import mfusepy  # type: ignore[import-untyped]


@dataclass(eq=False)
class Node:
    """A file or a folder: what is read of it, and what is durable."""

    mode: int
    data: bytearray = field(default_factory=bytearray)
    names: dict[str, "Node"] = field(default_factory=dict)
    kept_data: bytes = b""
    kept_names: dict[str, "Node"] = field(default_factory=dict)

    def kept(self) -> "Node":
        """The same as a power cut leaves it."""
        names = {name: node.kept() for name, node in self.kept_names.items()}
        return Node(self.mode, bytearray(self.kept_data), names, self.kept_data, dict(names))

    def stat(self) -> dict[str, Any]:
        """What `stat` says."""
        owner = {"st_uid": os.getuid(), "st_gid": os.getgid()}
        return {"st_mode": self.mode, "st_nlink": 1, "st_size": len(self.data)} | owner


class Forgetful(mfusepy.Operations):  # type: ignore[misc]  # it has no types
    """The operations that a home of batches needs."""

    use_ns = True

    def __init__(self, store: Path) -> None:
        self._store = store
        self._root = pickle.loads(store.read_bytes()) if store.exists() else Node(stat.S_IFDIR | 0o700)

    def _node(self, path: str) -> Node:
        node = self._root
        for name in PurePosixPath(path).parts[1:]:
            if name not in node.names:
                raise mfusepy.FuseOSError(errno.ENOENT)
            node = node.names[name]
        return node

    def _place(self, path: str) -> tuple[dict[str, Node], str]:
        pure = PurePosixPath(path)
        return self._node(str(pure.parent)).names, pure.name

    def _keep(self) -> int:
        aside = self._store.with_suffix(".new")
        aside.write_bytes(pickle.dumps(self._root.kept()))
        aside.replace(self._store)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        """Make the bytes of a file durable."""
        node = self._node(path)
        node.kept_data = bytes(node.data)
        return self._keep()

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        """Make the names in a folder durable."""
        node = self._node(path)
        node.kept_names = dict(node.names)
        return self._keep()

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        """Look at a name."""
        return self._node(path).stat()

    def readdir(self, path: str, fh: int) -> Iterator[str]:
        """List a folder."""
        yield from (".", "..", *self._node(path).names)

    def mkdir(self, path: str, mode: int) -> int:
        """Make a folder."""
        names, name = self._place(path)
        names[name] = Node(stat.S_IFDIR | mode)
        return 0

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        """Make a file."""
        names, name = self._place(path)
        names[name] = Node(stat.S_IFREG | mode)
        return 0

    def open(self, path: str, flags: int) -> int:
        """Open a file."""
        self._node(path)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Read."""
        return bytes(self._node(path).data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Write."""
        self._node(path).data[offset : offset + len(data)] = data
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """Cut."""
        del self._node(path).data[length:]
        return 0

    def unlink(self, path: str) -> int:
        """Remove a name."""
        names, name = self._place(path)
        del names[name]
        return 0

    def link(self, target: str, source: str) -> int:
        """Give a file one more name."""
        node = self._node(source)
        names, name = self._place(target)
        names[name] = node
        return 0

    def rename(self, old: str, new: str) -> int:
        """Rename."""
        names, name = self._place(old)
        there, new_name = self._place(new)
        there[new_name] = names.pop(name)
        return 0


if __name__ == "__main__":
    mfusepy.FUSE(Forgetful(Path(sys.argv[2])), sys.argv[1], foreground=True, nothreads=True)
