"""A record of all that a process changes in a folder, by following its system calls (ptrace).

A library put before libc would not do: Lance renames its files by system calls of its own, which
such a library never sees. All threads and children are followed. What can't be followed is an
error when it concerns the folder: files written through memory (mmap), io_uring and its like, and
calls that move bytes within the kernel. The numbers of the calls are those of Linux on x86-64.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from power_loss import Event

SUPPORTED = sys.platform == "linux" and platform.machine() == "x86_64"

_SEIZE, _INTERRUPT, _SYSCALL, _GETREGS = 0x4206, 0x4207, 24, 12
_OPTIONS = 0x100000 | 0b1111  # end with the tracer; mark system calls; follow fork, vfork, clone
_WAIT = 0x40000000 | 0x20000000  # threads too, and only what this thread follows
_FAILED = 2**64 - 4096
_HERE = -100  # AT_FDCWD
_CALLS = {
    **{1: "write", 18: "pwrite", 20: "writev", 296: "pwritev", 328: "pwritev"},
    **{74: "fsync", 75: "fsync", 162: "sync", 306: "sync", 76: "truncate", 77: "ftruncate"},
    **{2: "open", 257: "openat", 85: "creat", 304: "open by handle", 437: "openat2"},
    **{82: "rename", 264: "renameat", 316: "renameat2", 86: "link", 265: "linkat"},
    **{83: "mkdir", 258: "mkdirat", 84: "rmdir", 87: "unlink", 263: "unlinkat"},
    **{88: "symlink", 266: "symlinkat", 9: "mmap", 209: "io_submit", 425: "io_uring"},
    **{40: "sendfile", 275: "splice", 326: "copy_file_range", 285: "fallocate"},
}  # 75 and 306 are fdatasync and syncfs


class TracingRefusedError(Exception):
    """This machine does not let one process follow another."""


class UnfollowedError(Exception):
    """A system call changed the folder in a way that a record can't hold."""


def record(command: list[str], root: Path) -> list[Event]:
    """Run a command and list what it changed below a folder.

    Parameters
    ----------
    command
        It must say "ready" in a line, read a line, and change nothing below `root` before that.
    """
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != "ready\n":
            raise ChildProcessError(f"{command} did not get ready; it ended {process.wait()}")
        tracer = _Tracer(process.pid, str(root.resolve()))
        process.stdin.write("go\n")
        process.stdin.flush()
        status = tracer.run()
    finally:
        process.kill()
        process.communicate()
    if status:
        raise ChildProcessError(f"{command} ended with the wait status {status}")
    return tracer.events


class _Tracer:
    """Follows a process, and notes each system call that succeeded and concerns a folder."""

    def __init__(self, pid: int, root: str) -> None:
        self.pid, self.root = pid, root
        self.events: list[Event] = []
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.restype = ctypes.c_long
        word, pointer = ctypes.c_long, ctypes.c_void_p
        self._libc.ptrace.argtypes = [word, word, pointer, pointer]
        tasks: set[int] = set()
        while new := {int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()} - tasks:
            for task in new:
                if self._ptrace(_SEIZE, task, _OPTIONS):
                    raise TracingRefusedError(os.strerror(ctypes.get_errno()))
                self._ptrace(_INTERRUPT, task)
            tasks |= new

    def run(self) -> int:
        """Follow until the process ends; gives its wait status."""
        refused = None
        while True:
            task, status = os.waitpid(-1, _WAIT)
            if not os.WIFSTOPPED(status):
                if task != self.pid:
                    continue
                if refused:
                    raise refused
                return status
            number, event = os.WSTOPSIG(status), status >> 16
            if number == signal.SIGTRAP | 0x80:
                try:
                    self._note(task)
                except UnfollowedError as error:  # its threads must be waited for all the same
                    refused = error
                    os.kill(self.pid, signal.SIGKILL)
            delivered = 0 if event or number == signal.SIGTRAP | 0x80 else number
            self._ptrace(_SYSCALL, task, delivered)  # in vain where the task was killed meanwhile

    def _ptrace(self, request: int, task: int, data: int | ctypes.Array | None = None) -> int:
        return int(self._libc.ptrace(request, task, None, data))

    def _note(self, task: int) -> None:
        registers = (ctypes.c_ulonglong * 27)()
        self._ptrace(_GETREGS, task, registers)
        result, name = registers[10], _CALLS.get(registers[15])
        if name is None or result >= _FAILED:  # which it also is while the call has only begun
            return
        given = [registers[i] for i in (14, 13, 12, 7, 9, 8)]
        event = _Call(task, name, given, result).event()
        if event and self._ours(event):
            self.events.append(event)

    def _ours(self, event: Event) -> bool:
        def inside(path: str) -> bool:
            return path == self.root or path.startswith(self.root + "/")

        if event.path.endswith(" (deleted)"):
            return False
        if event.what == "unseen" and inside(event.path):
            raise UnfollowedError(f"{event.other} on {event.path} can't be followed")
        if event.what in ("rename", "link") and inside(event.path) != inside(event.other):
            raise UnfollowedError(f"{event} across the folder's edge can't be followed")
        return inside(event.path) or event.what in ("say", "sync all")


@dataclass
class _Call:
    """A system call that succeeded, its task still stopped."""

    task: int
    name: str
    given: list[int]
    result: int

    def event(self) -> Event | None:
        a, b, c, d, e, _ = self.given
        match self.name:
            case "write" | "pwrite" | "writev" | "pwritev":
                return self._write(a, b, c, d)
            case "fsync":
                return Event("sync", self._opened(a))
            case "sync":
                return Event("sync all")
            case "open":
                return self._open(b)
            case "openat":
                return self._open(c)
            case "creat":
                return self._open(os.O_CREAT | os.O_TRUNC)
            case "rename" | "link":
                return Event(self.name, self._path(_HERE, a), self._path(_HERE, b))
            case "renameat2" if e & 2:
                return self._unseen(self._path(a, b))  # an exchange
            case "renameat" | "renameat2" | "linkat":
                kind = "link" if self.name == "linkat" else "rename"
                return Event(kind, self._path(a, b), self._path(c, d))
            case "mkdir" | "rmdir" | "unlink":
                return Event(self.name, self._path(_HERE, a))
            case "mkdirat":
                return Event("mkdir", self._path(a, b))
            case "unlinkat":
                return Event("rmdir" if c & 0x200 else "unlink", self._path(a, b))
            case "truncate":
                return Event("truncate", self._path(_HERE, a), at=b)
            case "ftruncate":
                return Event("truncate", self._opened(a), at=b)
            case "symlink":
                return self._unseen(self._path(_HERE, b))
            case "symlinkat":
                return self._unseen(self._path(b, c))
            case "mmap":  # of a file, shared and writable
                harmless = d & 3 != 1 or not c & 2 or e >= 2**31
                return None if harmless else self._unseen(self._opened(e))
            case "io_submit" | "io_uring":
                raise UnfollowedError(f"{self.name} can't be followed")
            case "sendfile" | "fallocate":
                return self._unseen(self._opened(a))
            case "splice" | "copy_file_range":
                return self._unseen(self._opened(c))
            case _:
                return self._unseen(self._opened(self.result))

    def _unseen(self, path: str) -> Event:
        return Event("unseen", path, self.name)

    def _open(self, flags: int) -> Event | None:
        path = self._opened(self.result)
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            return self._unseen(path)
        emptied = flags & os.O_TRUNC
        return Event("open", path, at=emptied) if emptied or flags & os.O_CREAT else None

    def _write(self, file: int, address: int, count: int, place: int) -> Event:
        if self.name in ("write", "pwrite"):
            data = self._memory(address, self.result)
        else:
            parts = struct.iter_unpack("QQ", self._memory(address, 16 * count))
            data = b"".join(self._memory(*part) for part in parts)[: self.result]
        if file == 1:
            return Event("say", data=data)
        if self.name in ("write", "writev") or place == 2**64 - 1:
            position = self._proc(f"fdinfo/{file}").read_text().split()[1]
            place = int(position) - self.result
        return Event("write", self._opened(file), data=data, at=place)

    def _path(self, folder: int, name: int) -> str:
        """Resolve a name below an open folder."""
        folder = ctypes.c_int(folder & 0xFFFFFFFF).value
        base = self._proc("cwd").readlink() if folder == _HERE else self._opened(folder)
        return os.path.normpath(Path(base, self._memory(name, 4096).split(b"\0")[0].decode()))

    def _opened(self, file: int) -> str:
        try:
            return str(self._proc(f"fd/{file}").readlink())
        except FileNotFoundError:  # closed by another thread meanwhile
            return ""

    def _memory(self, address: int, size: int) -> bytes:
        with self._proc("mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(size)  # shorter only where the next page is not mapped

    def _proc(self, name: str) -> Path:
        return Path(f"/proc/{self.task}/{name}")
