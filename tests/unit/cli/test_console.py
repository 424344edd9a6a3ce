"""Reading standard input line by line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm.cli.console import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG = 3 << 17  # bytes, more than are read at once


@given(
    st.lists(st.tuples(st.sampled_from((b"a", b"\xff", b"\xc3\xa9")), st.integers(0, 9) | st.just(LONG)), max_size=5)
)
def test_lines_of_any_length(lines: Sequence[tuple[bytes, int]]) -> None:
    data = b"\n".join([letter * times for letter, times in lines])
    descriptor = os.memfd_create("lines")
    try:
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        assert [line.encode("utf-8", "surrogateescape") for line in read_lines(descriptor)] == data.split(b"\n")
    finally:
        os.close(descriptor)
