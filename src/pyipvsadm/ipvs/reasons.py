"""Why IPVS refused, in the words of ipvsadm(8).

Programs match them, so they are the same for the kernel and the sandbox.
The table was read off ipvsadm 1.31 by answering each of its requests with each errno (tests/golden/ipvs/refusals.sh).
"""

from __future__ import annotations

import errno
import os

from pyipvsadm.errors import KernelError
from pyipvsadm.ipvs.command import (
    AddServer,
    AddService,
    DeleteServer,
    DeleteService,
    EditServer,
    EditService,
    StartDaemon,
    StopDaemon,
    Zero,
)

# What an errno means whatever was asked; errnos that are not here have strerror(3)'s text.
_ANYWHERE: dict[int, str] = {
    errno.EPERM: "Permission denied (you must be root)",
    errno.ENOMEM: "Memory allocation problem",
    errno.EINVAL: "Invalid operation.  Possibly wrong module version, address not unicast, ...",
    errno.EMSGSIZE: "Module is wrong version",
    errno.EOPNOTSUPP: "Operation not supported with IPv6",
    errno.EAFNOSUPPORT: "Operation not supported with specified address family",
}

# What it means for one operation only.
_BY_OPERATION: dict[str, dict[int, str]] = {
    AddService.operation: {
        errno.EEXIST: "Service already exists",
        errno.ENOENT: "Scheduler or persistence engine not found",
    },
    EditService.operation: {
        errno.ESRCH: "No such service",
        errno.ENOENT: "Scheduler or persistence engine not found",
    },
    DeleteService.operation: {errno.ESRCH: "No such service"},
    Zero.operation: {errno.ESRCH: "No such service"},
    "list service": {errno.ESRCH: "No such service"},
    AddServer.operation: {errno.ESRCH: "Service not defined", errno.EEXIST: "Destination already exists"},
    EditServer.operation: {errno.ESRCH: "Service not defined", errno.ENOENT: "No such destination"},
    DeleteServer.operation: {errno.ESRCH: "Service not defined", errno.ENOENT: "No such destination"},
    StartDaemon.operation: {errno.EEXIST: "Daemon has already run"},
    StopDaemon.operation: {errno.ESRCH: "No daemon is running"},
}


def refusal(operation: str, number: int, extack: str = "") -> KernelError:
    """Return the error for errno ``number`` (positive) in answer to ``operation``.

    ``operation`` is a ``Change.operation``, "list service" or any other name for a look-up; ``extack`` is the kernel's
    own explanation, kept beside the reason. Source: ipvsadm 1.31.
    """
    reason = _BY_OPERATION.get(operation, _ANYWHERE).get(number) or _ANYWHERE.get(number) or os.strerror(number)
    return KernelError(operation, number, reason, extack)
