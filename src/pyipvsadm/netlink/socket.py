"""A netlink socket: batches of requests with matched acknowledgements, and whole dumps."""

from __future__ import annotations

import _socket
import errno

from pyipvsadm.abi import netlink as abi
from pyipvsadm.errors import WireError
from pyipvsadm.netlink.message import HEADER, error, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    # What a request is: (nlmsg_type, payload).
    Request = tuple[int, bytes]

SOL_NETLINK: Final = 270  # linux/socket.h, which is not a user-space header
SO_RCVBUFFORCE: Final = 33  # asm-generic/socket.h

# How many requests go out in one send. Each may come back as an error that the receive buffer has to hold until the
# send returns; a message takes some 770 bytes of it (sk_buff with CAP_ACK), and an unprivileged buffer has 212,992.
BATCH: Final = 128
_RECEIVE_BUFFER: Final = 1 << 20
_RECEIVE_SIZE: Final = 1 << 15  # the kernel makes no larger messages for dumps
_DUMP_ATTEMPTS: Final = 16


class NetlinkError(OSError):
    """The kernel's refusal of one request: its errno as ``number``, its explanation, if it gave one, in ``extack``."""

    def __init__(self, number: int, extack: str = "") -> None:
        super().__init__(number, extack)
        self.number = number
        self.extack = extack


class NetlinkSocket:
    """A connected socket of one netlink protocol (NETLINK_GENERIC …), in the network namespace of its creation.

    Any method may raise OSError of the socket calls themselves.
    """

    def __init__(self, protocol: int) -> None:
        self._socket = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, protocol)
        self._sequence = 0
        for option in (abi.NETLINK_CAP_ACK, abi.NETLINK_EXT_ACK):
            try:
                self._socket.setsockopt(SOL_NETLINK, option, 1)
            except OSError:  # kernels before 4.3 and 4.12: errors come with the request, or without an explanation
                pass
        try:
            self._socket.setsockopt(_socket.SOL_SOCKET, SO_RCVBUFFORCE, _RECEIVE_BUFFER)
        except PermissionError:
            pass
        self._socket.bind((0, 0))
        self._buffer = memoryview(bytearray(_RECEIVE_SIZE))
        # A connected netlink socket takes messages from the kernel alone.
        self._socket.connect((0, 0))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def submit(self, requests: Iterable[Request]) -> list[tuple[int, NetlinkError]]:
        """Send requests in order, many to a send; return the refusals, each with the index of its request.

        Only a message that asks for nothing, at the end of each send, is acknowledged: the kernel works through a send
        in order before the call returns, so requests without an error have been carried out. The last request's own
        acknowledgement would not do: the kernel leaves it out after EINTR, which is the answer when a thread is stopped
        that has not run yet (a daemon just started).
        """
        refusals: list[tuple[int, NetlinkError]] = []
        batch: list[Request] = []
        index = 0
        for request in requests:
            batch.append(request)
            if len(batch) == BATCH:
                refusals += self._submit_batch(batch, index)
                index += BATCH
                batch.clear()
        if batch:
            refusals += self._submit_batch(batch, index)
        return refusals

    def _submit_batch(self, batch: list[Request], index: int) -> Iterator[tuple[int, NetlinkError]]:
        first = self._sequence + 1
        last = self._sequence = self._sequence + len(batch) + 1
        parts = []
        for sequence, (kind, payload) in enumerate(batch, first):
            parts.append(HEADER.pack(HEADER.size + len(payload), kind, abi.NLM_F_REQUEST, sequence, 0))
            parts.append(payload)
        parts.append(HEADER.pack(HEADER.size, abi.NLMSG_NOOP, abi.NLM_F_REQUEST | abi.NLM_F_ACK, last, 0))
        self._socket.send(b"".join(parts))
        refusals: dict[int, NetlinkError] = {}
        for kind, flags, sequence, start, end, data in self._receive(first, last):
            if kind == abi.NLMSG_ERROR:
                number, extack = error(data, flags, start, end)
                if number:
                    refusals[sequence] = NetlinkError(number, extack)
                if sequence == last:
                    break
        return ((index + sequence - first, refusals[sequence]) for sequence in sorted(refusals))

    def _receive(self, first: int, last: int) -> Iterator[tuple[int, int, int, int, int, bytes]]:
        """Yield the answers to some requests until the caller stops; what is left of abandoned ones is passed over."""
        while True:
            data = self._receive_some()
            if not data:
                raise WireError("nlmsghdr", 0, "a message", "nothing")
            for kind, flags, sequence, start, end in split(data):
                if first <= sequence <= last:
                    yield kind, flags, sequence, start, end, data

    def _receive_some(self) -> bytes:
        """Return what one receive gives; the large buffer for it is made once."""
        return bytes(self._buffer[: self._socket.recv_into(self._buffer)])

    def get(self, kind: int, payload: bytes) -> tuple[bytes, int, int]:
        """Send one request that has one answer; return (buffer, payload start, payload end). Raises NetlinkError."""
        self._sequence += 1
        sent = self._sequence
        self._socket.send(HEADER.pack(HEADER.size + len(payload), kind, abi.NLM_F_REQUEST, sent, 0) + payload)
        for answer, flags, _, start, end, data in self._receive(sent, sent):
            if answer == abi.NLMSG_ERROR:
                raise NetlinkError(*error(data, flags, start, end))
            return data, start, end
        raise AssertionError  # _receive ends by an exception only

    def dump(self, kind: int, payload: bytes) -> list[tuple[bytes, int, int]]:
        """Send a dump request; return (buffer, payload start, payload end) of every message of the answer.

        A dump that the kernel marks as interrupted by a change (NLM_F_DUMP_INTR), or of which messages were lost, is
        read again. Raises NetlinkError; errno EINTR where the table never holds still.
        """
        for _ in range(_DUMP_ATTEMPTS):
            messages = self._dump_once(kind, payload)
            if messages is not None:
                return messages
        raise NetlinkError(errno.EINTR, "the table changed while it was read")

    def _dump_once(self, kind: int, payload: bytes) -> list[tuple[bytes, int, int]] | None:
        self._sequence += 1
        sent = self._sequence
        flags = abi.NLM_F_REQUEST | abi.NLM_F_DUMP
        self._socket.send(HEADER.pack(HEADER.size + len(payload), kind, flags, sent, 0) + payload)
        messages: list[tuple[bytes, int, int]] = []
        whole = True
        receive = self._receive_some
        while True:
            try:
                data = receive()
            except OSError as problem:
                if problem.errno != errno.ENOBUFS:
                    raise
                whole = False
                continue
            for answer, answer_flags, sequence, start, end in split(data):
                if sequence != sent:
                    continue
                if answer_flags & abi.NLM_F_DUMP_INTR:
                    whole = False
                if answer == abi.NLMSG_DONE:
                    return messages if whole else None
                if answer == abi.NLMSG_ERROR:
                    raise NetlinkError(*error(data, answer_flags, start, end))
                messages.append((data, start, end))
