"""Which table a drop-in command works on: the kernel's, or a sandbox that the user named."""

from __future__ import annotations

from pyipvsadm.cli.console import environment
from pyipvsadm.errors import KernelError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.ipvs.backend.base import Backend
    from pyipvsadm.ipvs.options import OwnOptions


def open_backend(own: OwnOptions) -> Backend:
    """Open the sandbox of --sandbox or PYIPVSADM_SANDBOX, else the kernel's table in the namespace of --netns.

    Raises UsageError with the C tool's words and status where the kernel has no IPVS or the user no right to it.
    """
    if own.sandbox == "":
        raise UsageError("--sandbox: missing name of a file")
    if own.sandbox is not None and own.netns is not None:
        raise UsageError("--netns and --sandbox name two different tables")
    sandbox = own.sandbox
    if sandbox is None and own.netns is None:
        sandbox = environment("PYIPVSADM_SANDBOX")
    if sandbox is not None:
        from pyipvsadm.ipvs.backend.sandbox import SandboxBackend

        return SandboxBackend(sandbox)
    from pyipvsadm.ipvs.backend.kernel import KernelBackend

    try:
        return KernelBackend(own.netns)
    except KernelError as error:
        raise UsageError(
            f"Can't initialize ipvs: {error}. Are you sure that IP Virtual Server is built in the kernel or as module?"
        ) from None
