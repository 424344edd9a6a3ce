"""Dumps, which ``ipvsadm -S`` prints and ``-R`` reads: a command line each line, without the program's name."""

from __future__ import annotations

from pyipvsadm.errors import NoCommandError, UsageError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.model import RealServer, ServerKey
from pyipvsadm.ipvs.options import WORDS
from pyipvsadm.ipvs.syntax import TRY_HELP, parse_words, placed
from pyipvsadm.ipvs.values import Draft
from pyipvsadm.record import maker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Final

    from pyipvsadm.ipvs.model import ServiceKey
    from pyipvsadm.ipvs.names import Names
    from pyipvsadm.ipvs.syntax import Command

    ServerChange = command.AddServer | command.EditServer

# No line that ipvsadm -S prints comes near; a longer one is no dump.
LONGEST_LINE: Final = 1 << 20

# Characters of a word of a dump that ipvsadm reads in one piece.
LONGEST_WORD: Final = 4096

_BLANKS: Final = {ord(blank): " " for blank in "\t\r\n"}
_BY_ADDRESS: Final = ("-t", "-u", "--sctp-service")
_MOST_MEANINGS: Final = 10000

_make_key: Final = maker(ServerKey)
_make_server: Final = maker(RealServer)


class DumpParser:
    """Reads the lines of one dump, and remembers what it takes to read more like them fast.

    Nearly all lines of a large dump are about real servers, with the same options after their addresses. No option is
    read in the light of addresses before it, so what the words from there on mean holds for other addresses too; what
    depends on both is worked out for each line.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        # By the words of a line without its addresses: the command, what makes it, and a server with the settings.
        self._meanings: dict[
            tuple[str, ...], tuple[type[ServerChange], Callable[[tuple[Any, ...]], ServerChange], RealServer]
        ] = {}
        self._service_words = ("", "")  # the service of the line before
        self._service: ServiceKey | None = None

    def parse(self, line: str) -> Command | None:
        """Return the command of a line, None for a blank one; errors are those of ``syntax.parse``.

        Words end at spaces, tabs and line ends; there are no quotes and no comments. A NUL hides the rest of its word,
        and what goes beyond ``LONGEST_WORD`` is the next word, as at ipvsadm 1.31. The word "ipvsadm" is skipped
        wherever it stands, so that lines can be a shell's. A dump cannot ask for another dump.
        """
        if len(line) > LONGEST_LINE:
            raise UsageError(f"line of {len(line)} characters: not a dump")
        text = line.removesuffix("\n")
        if text.isascii() and text.isprintable() and len(text) <= LONGEST_WORD:
            words = text.split()
        else:
            words = [
                word[start : start + LONGEST_WORD].partition("\0")[0]
                for word in text.translate(_BLANKS).split(" ")
                for start in range(0, len(word), LONGEST_WORD)
            ]
        if "ipvsadm" in line:
            words = [word for word in words if word != "ipvsadm"]
        if len(words) > 4 and words[3] == "-r" and words[0] in ("-a", "-e") and words[1] in _BY_ADDRESS:
            return self._parse_server(words)
        if not words:
            return None
        asked = parse_words(words, self._names)
        if type(asked) is command.Restore:
            raise NoCommandError(TRY_HELP, exit_status=255)
        return asked

    def _parse_server(self, words: Sequence[str]) -> Command:
        shape = (words[0], words[1], *words[5:])
        meaning = self._meanings.get(shape)
        if meaning is None:
            asked = parse_words(words, self._names)
            if isinstance(asked, (command.AddServer, command.EditServer)):
                if len(self._meanings) >= _MOST_MEANINGS:
                    self._meanings.clear()
                self._meanings[shape] = type(asked), maker(type(asked)), asked.server
            return asked
        kind, make, settings = meaning
        service = self._service
        if service is None or words[2] != self._service_words[1] or words[1] != self._service_words[0]:
            try:
                service = self._service = WORDS[words[1]].read(words[2], Draft(self._names))
            except UsageError:
                return parse_words(words, self._names)  # which says where it is wrong
            self._service_words = words[1], words[2]
        endpoint = self._names.endpoint(words[4], service.protocol)
        if endpoint is None:
            return parse_words(words, self._names)  # which says what is wrong
        family, address, port = endpoint
        key = _make_key((ServerKey, family, address, service.port if port is None else port))
        if settings.forward == "masq" and family == service.family:
            return make((kind, service, _make_server((RealServer, key, *settings[2:]))))
        if settings.forward != "ipip" and family != service.family:
            return parse_words(words, self._names)
        return make((kind, service, placed(service, key, settings)))


def parse_dump(lines: Iterable[str], names: Names) -> Iterator[tuple[int, Command]]:
    """Yield the commands of a dump with the numbers of their lines, from 1; a UsageError says its line."""
    parse = DumpParser(names).parse
    for number, line in enumerate(lines, 1):
        try:
            asked = parse(line)
        except UsageError as error:
            error.line = number
            raise
        if asked is not None:
            yield number, asked
