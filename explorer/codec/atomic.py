"""Files written whole or not at all, under names that nobody can foresee."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # where the system has none, scratch is left to the person to remove
    fcntl = None  # type: ignore[assignment]

LONGEST_NAME = 200
N_TOKEN = 8
SCRATCH = re.compile(rf"\.(?P<name>.+)\.[0-9a-f]{{{2 * N_TOKEN}}}\.part", re.DOTALL)
MAY_NOT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def checked_path(path: Any, name: str = "path") -> Path:
    """Return a path; raise TypeError unless it is a str or a Path."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{name} must be a str or a Path; got {type(path).__name__}")
    return Path(path)


@contextmanager
def whole(path: str | Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a scratch file that takes the place of `path` once it is complete.

    Only a regular file is replaced: a link stays and the file that it names is replaced; what is
    written goes into a pipe or a device. Any number of threads and programs may save to one name:
    the last one's file is there, whole. What saves to this name that were killed left behind is
    removed.

    `path`: replaced where it exists; left as it is where writing ends in an error. `durable`: wait
    until the disk has the file, so that it outlives a loss of power. Raises TypeError if `path` is
    none. Raises OSError if it is a folder, or lies in none, or cannot be written; what was there is
    left.
    """
    target = checked_path(path)
    before = _status(target)
    _refuse(target, before)
    real = Path(os.path.realpath(target))
    if before is not None and not (stat.S_ISREG(before.st_mode) and _is(real, before)):
        with tempfile.TemporaryDirectory(prefix="explorer-") as folder:
            yield Path(folder) / target.name
            _pour(Path(folder) / target.name, target)
        return
    if not real.parent.is_dir():
        raise FileNotFoundError(
            f"path: there is no folder {str(real.parent)!r} for {target.name!r}; make it first"
        )
    try:
        remove_leftovers(real.parent, real.name)
        with _scratch_folder(real) as folder:
            scratch, mode = folder / real.name, _made(folder / real.name, before)
            yield scratch
            _put(scratch, real, before, mode, durable=durable)
    except OSError as error:
        if error.errno in MAY_NOT:
            raise PermissionError(
                f"path: {str(target)!r} may not be written ({error.strerror}); what was there is "
                "left as it was. Choose another folder, or have this one opened for writing"
            ) from error
        raise


def _refuse(target: Path, status: os.stat_result | None) -> None:
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(f"path: {str(target)!r} is a folder; name a file in it")
    if status is not None and stat.S_ISSOCK(status.st_mode):
        raise OSError(f"path: {str(target)!r} is a socket, which takes no file; name a file")


def remove_leftovers(folder: Path, name: str = "") -> None:
    """Remove the scratch of saves that were killed: to files of this name, or to all in a folder.

    Scratch of a save that goes on, in whatever process, is left alone.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = SCRATCH.fullmatch(entry.name)
            if found is None or (name and found["name"] != _short(name)):
                continue
            if entry.is_dir(follow_symlinks=False):
                _remove_if_left(folder / entry.name)


def _remove_if_left(scratch: Path) -> None:
    with suppress(OSError), _locked(scratch, wait=False) as is_ours:
        if is_ours:
            shutil.rmtree(scratch)


def _short(name: str) -> str:
    """Return as much of a file's name as leaves room for more in the name of a folder."""
    return os.fsdecode(os.fsencode(name)[:LONGEST_NAME])


@contextmanager
def _scratch_folder(target: Path) -> Iterator[Path]:
    """Lend a folder beside a file that nobody else can have foreseen, enter or take for left."""
    while True:
        token = secrets.token_hex(N_TOKEN)
        folder = target.with_name(f".{_short(target.name)}.{token}.part")
        folder.mkdir(mode=0o700)
        with _locked(folder, wait=True):
            # Whoever looked for leftovers in between may have removed it.
            if folder.is_dir():
                try:
                    yield folder
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
                return


@contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of a folder, which ends with this process; give whether it is held."""
    if fcntl is None:
        yield False
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield False
        return
    try:
        is_held = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            is_held = False
        yield is_held
    finally:
        os.close(handle)


def _status(path: Path) -> os.stat_result | None:
    """Tell what a path leads to, links followed; None where there is nothing."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is(path: Path, status: os.stat_result) -> bool:
    found = _status(path)
    return found is not None and os.path.samestat(found, status)


def _made(scratch: Path, before: os.stat_result | None) -> int:
    """Make the scratch file; return the mode of the file to be: the old one's, or the umask's."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(scratch, flags, 0o666)
    try:
        return stat.S_IMODE((before or os.fstat(handle)).st_mode) & 0o777
    finally:
        os.close(handle)


def _put(
    scratch: Path, target: Path, before: os.stat_result | None, mode: int, *, durable: bool
) -> None:
    """Move a complete file to its place."""
    handle = os.open(scratch, os.O_RDONLY)
    try:
        if before is not None and hasattr(os, "fchown"):
            with suppress(OSError):
                os.fchown(handle, before.st_uid, before.st_gid)
        scratch.chmod(mode)
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)
    scratch.replace(target)
    if durable:
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Have the disk know a file's new name; not every system can be asked to."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _pour(scratch: Path, target: Path) -> None:
    """Write a file's bytes into something that is no file: a pipe, a device."""
    handle = os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    with os.fdopen(handle, "wb") as out, scratch.open("rb") as file:
        shutil.copyfileobj(file, out)
