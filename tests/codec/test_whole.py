"""Files are whole or as they were: links, pipes, many savers, killed ones, full disks."""

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.codec.atomic import remove_leftovers, whole
from explorer.measure.disk_cache import TensorCache
from explorer.sweep import command
from explorer.train.checkpoint import Checkpoint

KILLED = """
import os, signal, sys
from explorer.codec.atomic import whole
with whole(sys.argv[1]) as scratch:
    scratch.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def put(path, content=b"new"):
    with whole(path) as scratch:
        scratch.write_bytes(content)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def small():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)).eval()
    return ex.compress(net, [ex.Prune(sparsity=0.5)])


def checkpoint(path):
    Checkpoint({"a": torch.zeros(3)}, {"stage": 0}).save(path)


SAVERS = {
    "compressed file": lambda path: small().save(path),
    "dense weights": lambda path: small().export_safetensors(path),
    "onnx": lambda path: small().export_onnx(path, (6,)),
    "checkpoint": checkpoint,
    "table of a sweep": lambda path: command.write([], path),
}


def got_through(pipe, save):
    """What a reader of a pipe gets while something is saved to it."""
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    save(pipe)
    reader.join(timeout=30)
    return got[0]


@pytest.mark.parametrize("what", SAVERS)
def test_a_pipe_gets_the_bytes_and_stays_a_pipe(what, tmp_path):
    SAVERS[what](tmp_path / "file")
    pipe = tmp_path / "pipe"
    got = got_through(pipe, SAVERS[what])
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    # Entries of a safetensors header come in any order.
    assert sorted(got) == sorted((tmp_path / "file").read_bytes())
    assert names(tmp_path) == ["file", "pipe"]


def test_the_size_of_what_went_into_a_pipe_is_told(tmp_path):
    sizes = []
    got = got_through(tmp_path / "p", lambda path: sizes.append(small().export_safetensors(path)))
    assert sizes == [len(got)]


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK])
def test_what_is_no_regular_file_is_written_to(kind, tmp_path, monkeypatch):
    """A plain file that says it is a device: its place on the disk stays the same."""
    target = tmp_path / "device"
    target.write_bytes(b"")
    place, plain = target.stat().st_ino, Path.stat

    def told(path, **how):
        found = plain(path, **how)
        if path != target:
            return found
        return os.stat_result((kind | 0o666, *found[1:]))

    monkeypatch.setattr(Path, "stat", told)
    put(target)
    monkeypatch.undo()
    assert target.stat().st_ino == place
    assert target.read_bytes() == b"new"


def test_a_socket_is_refused_and_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(OSError, match="'s' is a socket, which takes no file; name a file"):
            put("s")
    assert stat.S_ISSOCK(Path("s").stat().st_mode)


def test_a_link_stays_and_the_file_that_it_names_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    link, file = tmp_path / "link", tmp_path / "folder" / "file"
    link.symlink_to(Path("folder") / "file")
    for content in (b"first", b"second"):
        put(link, content)
        assert link.is_symlink()
        assert not file.is_symlink()
        assert file.read_bytes() == content
    assert names(tmp_path / "folder") == ["file"]


def test_a_link_to_a_pipe_stays_and_the_pipe_gets_the_bytes(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("pipe")
    assert got_through(tmp_path / "pipe", lambda _: put(link)) == b"new"
    assert link.is_symlink()


def test_a_link_into_no_folder_is_told(tmp_path):
    (tmp_path / "link").symlink_to(Path("none") / "file")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none' for 'link'"):
        put(tmp_path / "link")


def test_scratch_is_private_and_new_and_cannot_be_foreseen(tmp_path):
    found = set()
    for _ in range(3):
        with whole(tmp_path / "file") as scratch:
            folder = scratch.parent
            assert folder.parent == tmp_path
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert stat.S_ISREG(scratch.lstat().st_mode)
            assert scratch.name == "file"
            found.add(folder.name)
    assert len(found) == 3


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o007])
def test_a_new_file_gets_the_mode_of_the_umask(umask, tmp_path):
    before = os.umask(umask)
    try:
        small().export_safetensors(tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_a_replaced_file_keeps_its_mode(mode, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(mode)
    put(file)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert file.read_bytes() == b"new"


def test_many_threads_save_to_one_name(tmp_path):
    file = tmp_path / "file"
    contents = [bytes([i]) * 50_000 for i in range(12)]
    errors = []

    def save(content):
        try:
            for _ in range(5):
                put(file, content)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=save, args=(each,)) for each in contents]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert file.read_bytes() in contents
    assert names(tmp_path) == ["file"]


@pytest.fixture
def killed(tmp_path):
    """A file, beside what a save to it that was killed has left."""
    file = tmp_path / "file"
    file.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert file.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    return file


def test_the_next_save_removes_what_a_killed_one_left(killed):
    put(killed.with_name("other"))
    assert len(names(killed.parent)) == 3
    put(killed)
    assert names(killed.parent) == ["file", "other"]
    assert killed.read_bytes() == b"new"


def test_scratch_in_use_and_what_only_looks_like_it_is_left(tmp_path):
    linked = tmp_path / "folder"
    linked.mkdir()
    (linked / "mine").write_bytes(b"")
    (tmp_path / f".file.{'0' * 16}.part").symlink_to(linked)
    (tmp_path / f".file.{'1' * 16}.part").write_bytes(b"mine")
    before = set(names(tmp_path))
    with whole(tmp_path / "file") as scratch:
        remove_leftovers(tmp_path)
        put(tmp_path / "file", b"first")
        scratch.write_bytes(b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    assert set(names(tmp_path)) == before | {"file"}
    assert names(linked) == ["mine"]


def test_a_cache_removes_what_killed_saves_to_any_of_its_names_left(killed):
    TensorCache(killed.parent).put("a", {"t": torch.zeros(2)}, {})
    assert names(killed.parent) == ["a.safetensors", "file"]


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, ".hidden", "a b\nc", "x.part"])
def test_any_name_that_a_file_may_have(name, tmp_path):
    put(tmp_path / name)
    assert names(tmp_path) == [name]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), whole(file) as scratch:
        scratch.write_bytes(b"half")
        raise KeyboardInterrupt
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_folder_that_may_not_be_written_is_told(number, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"old")

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError, match=r"file' may not be written .*Choose another folder"):
        put(file)
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]
