"""C functions are called with the arguments that they were declared with, and no others."""

from __future__ import annotations

import errno
import socket
import sys

import pytest

from pyipvsadm import clib

LIBC = clib.open_library(None)


def test_memory_is_shared_with_the_function() -> None:
    read = clib.function(LIBC, "getrandom", clib.Int, clib.Pointer, clib.Int, clib.Int)
    data = bytearray(64)
    assert read(clib.buffer(data), 32, 0) == 32
    assert any(data[:32])
    assert not any(data[32:])


def test_values_come_back_through_references() -> None:
    left, right = socket.socketpair()
    with left, right:
        getsockopt = clib.function(LIBC, "getsockopt", *[clib.Int] * 4, clib.Pointer, clib.Pointer)
        value, size = bytearray(8), clib.UInt32(8)
        kind = clib.buffer(value)
        assert getsockopt(left.fileno(), socket.SOL_SOCKET, socket.SO_TYPE, kind, clib.by_reference(size)) == 0
        assert size.value == 4
        assert int.from_bytes(value, sys.byteorder) == socket.SOCK_STREAM


def test_a_failure_leaves_its_errno() -> None:
    close = clib.function(LIBC, "close", clib.Int, clib.Int)
    assert close(-1) == -1
    assert clib.errno() == errno.EBADF


@pytest.mark.parametrize("arguments", [("1",), (1.5,), ()])
def test_arguments_of_other_types_are_refused(arguments: tuple[object, ...]) -> None:
    close = clib.function(LIBC, "close", clib.Int, clib.Int)
    with pytest.raises(Exception, match=r"argument|expected"):
        close(*arguments)


def test_what_a_library_lacks_is_an_error() -> None:
    with pytest.raises(OSError, match="no_such_function"):
        clib.function(LIBC, "no_such_function", clib.Int)
    with pytest.raises(OSError, match="libnosuch"):
        clib.open_library("libnosuch.so.1")


def test_what_c_prints_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    puts = clib.function(LIBC, "puts", clib.Int, clib.Text)
    assert clib.printed(puts, b"one") == b"one\n"
    assert clib.printed(puts, b"x" * 100_000) == b"x" * 100_000 + b"\n"
    assert clib.printed(lambda: None) == b""
    puts(b"after")
    clib.function(LIBC, "fflush", clib.Int, clib.Pointer)(None)
    assert capfd.readouterr().out == "after\n"


def test_standard_output_comes_back_after_an_error() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        clib.printed(fail)
    assert clib.printed(clib.function(LIBC, "puts", clib.Int, clib.Text), b"one") == b"one\n"
