"""Why a kernel refuses a table, in libiptc's words (iptc_strerror(3)) where those are not the C library's."""

from __future__ import annotations

import errno
import os

from pyipvsadm.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_WORDS: Final = {
    errno.ENOENT: "No chain/target/match by that name",
    errno.ENOMEM: "Memory allocation problem",
    errno.ENOPROTOOPT: "iptables who? (do you need to insmod?)",
}


def commit_refused(number: int) -> KernelError:
    """Return the error of a commit that ended with an errno."""
    return KernelError("commit", number, _WORDS.get(number) or os.strerror(number))
