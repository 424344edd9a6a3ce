"""The form of /proc/locks; the processes are those of tests/xtables/test_doctor.py."""

from __future__ import annotations

from pyipvsadm.doctor.locks import parse

# Of Linux 6.18: process 29092 holds four files, flock(1) waits for one of them.
LOCKS = """\
1: FLOCK  ADVISORY  READ 29092 fe:00:16638090 0 EOF
2: OFDLCK ADVISORY  READ -1 fe:00:16638089 0 EOF
3: POSIX  ADVISORY  WRITE 29092 fe:00:16638088 0 EOF
4: FLOCK  ADVISORY  WRITE 29092 fe:00:16638087 0 EOF
4: -> FLOCK  ADVISORY  WRITE 29188 fe:00:16638087 0 EOF
"""


def test_locks_of_flock_alone() -> None:
    assert list(parse(LOCKS)) == [
        (False, 29092, (0xFE, 0), 16638090),
        (False, 29092, (0xFE, 0), 16638087),
        (True, 29188, (0xFE, 0), 16638087),
    ]


def test_lines_of_another_form_are_passed_over() -> None:
    assert list(parse("\n1:\n1: FLOCK\n1: ->\nx\n")) == []
