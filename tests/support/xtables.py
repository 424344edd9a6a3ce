"""Rules by Debian's iptables-legacy, as it prints them and as the kernel has them, and the same by our extensions.

A case is a line of tests/xtables/cases: the arguments after ``-A``, with a chain first, such as

    INPUT -p tcp -m tcp --dport 80
    nat/PREROUTING -p tcp -j DNAT --to-destination 192.0.2.1
    4 INPUT -m ttl --ttl-eq 5           (for iptables alone; 6 for ip6tables alone; otherwise for both)

A line that begins with "$ " is a command that the cases of the file need: to make a set, say. It is run before them.

Run as a script, it compares the cases of the files that are named, and says in what they differ; with ``--plugins 4``
or ``--plugins 6`` those of a family, by the plugins of libxtables in the place of our declarations. With ``--can-run``
it says why this machine cannot (exit status 1).
"""

from __future__ import annotations

import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pyipvsadm import clib
from pyipvsadm.errors import UsageError
from pyipvsadm.xtables import registry
from pyipvsadm.xtables.backend.legacy import LegacyBackend
from pyipvsadm.xtables.command import List
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.options import BETWEEN
from pyipvsadm.xtables.render import Renderer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Draft, Extension, Family

CASES = Path(__file__).resolve().parents[1] / "xtables/cases"
TOOL = {4: "iptables-legacy", 6: "ip6tables-legacy"}
LOCK = {"XTABLES_LOCKFILE": str(Path(tempfile.gettempdir()) / f"xtables-{os.getpid()}.lock")}
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NAMES = Resolver()
# The sets that cases name.
SETS = ("foo hash:ip", "bar hash:ip,port timeout 60", "skb hash:ip skbinfo", "foo6 hash:ip family inet6")


class Case(NamedTuple):
    """One line of a file of cases."""

    place: str
    family: Family
    table: str
    chain: str
    words: list[str]


class Rule(NamedTuple):
    """A rule that is there: its bytes, and its text in three forms; or why it is not: a status."""

    status: int
    stderr: str
    extensions: list[tuple[Kind, str, int, bytes]]  # kind, name, revision, payload
    saved: str
    numeric: str
    named: str


def cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a file, one for each family."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith(("#", "$ ")):
            continue
        words = shlex.split(line)
        families: tuple[Family, ...] = (4, 6)
        if words[0] in ("4", "6"):
            families = (4,) if words[0] == "4" else (6,)
            words = words[1:]
        table, slash, chain = words[0].rpartition("/")
        for family in families:
            yield Case(f"{path.stem}:{number}/{family}", family, table if slash else "filter", chain, words[1:])


def prepare(path: Path) -> None:
    """Run the commands that the cases of a file need."""
    for line in path.read_text().splitlines():
        if line.startswith("$ "):
            run(*shlex.split(line[2:]))


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the network namespace of the caller."""
    env = {"PATH": PATH, **LOCK}
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=env, errors="surrogateescape")


def peer(case: Case) -> Rule:
    """Have the C tool add the rule to an empty chain, and say what is there then."""
    tool = [TOOL[case.family], "-t", case.table]
    run(*tool, "-F", case.chain)
    done = run(*tool, "-A", case.chain, *case.words)
    if done.returncode:
        return Rule(done.returncode, done.stderr, [], "", "", "")
    saved = run(*tool, "-S", case.chain).stdout.splitlines()[1]
    numeric = run(*tool, "-n", "-L", case.chain).stdout.splitlines()[2]
    named = run(*tool, "-L", case.chain).stdout.splitlines()[2]
    return Rule(0, done.stderr, extensions(case), saved, numeric, named)


def read_table(family: Family, table: str) -> tuple[bytes, list[int], list[int]]:
    """Return the entries of a table as the kernel has them, and where each hook's chain begins and ends."""
    import socket

    level = socket.IPPROTO_IP if family == 4 else socket.IPPROTO_IPV6
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    getsockopt = clib.function(
        clib.open_library(None), "getsockopt", clib.Int, clib.Int, clib.Int, clib.Int, clib.Pointer, clib.Pointer
    )
    with socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW) as handle:
        info = bytearray(struct.pack("32sI5I5III", table.encode(), 0, *[0] * 10, 0, 0))
        size = clib.UInt32(len(info))
        assert getsockopt(handle.fileno(), level, 64, clib.buffer(info), clib.by_reference(size)) == 0, table
        _, _, *hooks, _, total = struct.unpack("32sI5I5III", info)
        entries = bytearray(struct.pack("32sI4x", table.encode(), total)) + bytearray(total)
        size = clib.UInt32(len(entries))
        assert getsockopt(handle.fileno(), level, 65, clib.buffer(entries), clib.by_reference(size)) == 0, table
        return bytes(entries[40:]), hooks[:5], hooks[5:]


HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")


def extensions(case: Case) -> list[tuple[Kind, str, int, bytes]]:
    """Return the matches and the target of the first rule of a chain; not the kernel's own targets."""
    blob, begins, _ = read_table(case.family, case.table)
    at = begins[HOOKS.index(case.chain)]
    header = 84 if case.family == 4 else 136
    target, end = struct.unpack_from("HH", blob, at + header + 4)
    found: list[tuple[Kind, str, int, bytes]] = []
    place = at + header + (28 if case.family == 4 else 32)
    while place < at + target:
        size, name, revision = struct.unpack_from("H29sB", blob, place)
        found.append(("match", name.partition(b"\0")[0].decode(), revision, blob[place + 32 : place + size]))
        place += size
    size, name, revision = struct.unpack_from("H29sB", blob, place)
    if name[0]:
        found.append(("target", name.partition(b"\0")[0].decode(), revision, blob[place + 32 : at + end]))
    return found


def ours(case: Case, revisions: dict[tuple[Kind, str], int], warnings: list[str]) -> list[tuple[Kind, str, int, bytes]]:
    """Return the matches and the target that our extensions make of a case's words; the rest of them is not read.

    Takes the highest revision there is, up to the one in ``revisions``. Adds to ``warnings``. Raises UsageError.
    """
    protocol = stated = 0
    found: list[tuple[Extension, object]] = []
    drafts: list[Draft] = []
    words = list(case.words)
    inverted = False
    while words:
        word = words.pop(0)
        if word == "!":
            inverted = True
            continue
        if word in ("-p", "-s", "-d", "-i", "-o"):
            value = words.pop(0)
            if word == "-p":
                stated = int(value) if value.isdigit() else NAMES.protocol_number(value) or 0
                protocol = 0 if inverted else stated
                for draft in drafts:
                    draft.stated = stated
        elif word in ("-m", "-j"):
            name = words.pop(0)
            kind: Kind = "match" if word == "-m" else "target"
            if name not in ("ACCEPT", "DROP", "RETURN"):
                known = registry.revisions(kind, name, case.family)
                if not known and registry.revisions(kind, name, 4 if case.family == 6 else 6):
                    raise UsageError(f"no {kind} {name} in this family")
                assert known, f"no {kind} {name}"
                limit = revisions.get((kind, known[0].name), 255)
                extension = next(one for one in known if one.revision <= limit)
                drafts.append(extension.draft(case.family, NAMES, protocol))
                drafts[-1].stated = stated
        elif word.startswith("--"):
            name, equals, attached = word[2:].partition("=")
            for draft in reversed(drafts):
                option = draft.extension.by_name.get(name)
                if option is not None:
                    break
            else:
                raise UsageError(f'unknown option "{word}"')
            given = [attached] if equals else []
            if equals and (option.optional or not option.words):
                raise UsageError(f'unknown option "{word}"')
            absent = option.optional and (not words or words[0] == "!" or words[0].startswith("-"))
            while len(given) < option.words and not absent:
                if not words:
                    raise UsageError(f"{word}: argument missing")
                given.append(words.pop(0))
            draft.inverted = inverted
            draft.rest, draft.taken = words, 0
            option.read(BETWEEN.join(given) if option.words and not absent else None, draft)
            del words[: draft.taken]
        else:
            raise UsageError(f"Bad argument `{word}'")
        inverted = False
    del found
    made = [(d.extension.kind, d.extension.name, d.extension.revision, d.extension.finish(d)) for d in drafts]
    warnings += [warning for draft in drafts for warning in draft.warnings]
    return made


def differences(case: Case) -> list[str]:
    """Return in what the C tool and our extensions differ about a case, a line each."""
    theirs = peer(case)
    revisions = {(kind, name): revision for kind, name, revision, _ in theirs.extensions}
    refused = ""
    warnings: list[str] = []
    mine: list[tuple[Kind, str, int, bytes]] = []
    try:
        mine = ours(case, revisions, warnings)
    except UsageError as error:
        refused = str(error)
    if theirs.status:
        if theirs.status == 2 and not refused:
            return [f"the peer refuses: {theirs.stderr.strip()}"]
        return []  # what else is refused is the kernel's business
    if refused:
        return [f"only we refuse: {refused}"]
    found = []
    said = [line for line in theirs.stderr.splitlines() if "never matched protocol" not in line]  # of iptables itself
    if len(said) != len(warnings):
        found.append(f"warnings: theirs {said}, ours {warnings}")
    found_mine = list(mine)
    for kind, name, revision, data in theirs.extensions:
        known = [one for one in registry.revisions(kind, name, case.family) if one.revision == revision]
        if not known:
            return [f"no {kind} {name} revision {revision} in our registry"]
        extension = known[0]
        user = extension.layout.user_size
        place = next((place for place, own in enumerate(found_mine) if own[:3] == (kind, name, revision)), None)
        if len(data) != extension.size:
            found.append(f"{name}: {len(data)} bytes in the kernel, {extension.size} in ours")
        elif place is None:
            found.append(f"{name}: ours made {[entry[:3] for entry in mine]}")
        elif (payload := found_mine.pop(place)[3])[:user] != data[:user]:
            found.append(
                f"{name}: in the kernel {data[:user].hex()}\n{' ' * len(name)}  in ours {payload[:user].hex()}"
            )
    return found + text_differences(case, theirs)


def text_differences(case: Case, theirs: Rule) -> list[str]:
    """Return in what the lines differ that the C tool and ours print of the rule that the kernel has now."""
    table = LegacyBackend(case.family).open(case.table)
    rule = next(table.rules(case.chain))
    table.close()
    renderer = Renderer(case.family, NAMES)
    lines = (
        ("-S", theirs.saved, f"-A {case.chain}{renderer.save(rule)}"),
        ("-L -n", theirs.numeric, renderer.line(rule, 1, List(numeric=True)).removesuffix("\n")),
        ("-L", theirs.named, renderer.line(rule, 1, List()).removesuffix("\n")),
    )
    return [f"{what}:\n  theirs {text!r}\n  ours   {own!r}" for what, text, own in lines if own != text]


def _protocol(words: list[str]) -> int:
    if "-p" not in words or words[words.index("-p") - 1] == "!":
        return 0
    value = words[words.index("-p") + 1]
    return int(value) if value.isdigit() else NAMES.protocol_number(value) or 0


def make_sets() -> None:
    """Make the sets that cases name."""
    for definition in SETS:
        run("ipset", "create", *definition.split())


def unavailable() -> str:
    """Return why this machine cannot run the tests that need iptables and a kernel with its tables; "" where it can."""
    if os.geteuid():
        return "not root"
    for program in ("ip", "iptables-legacy", "ip6tables-legacy", "ipset", "nfacct"):
        if not shutil.which(program, path=PATH):
            return f"{program} is not installed"
    for program in ("iptables-legacy", "ip6tables-legacy"):
        done = run("unshare", "-n", program, "-S")
        if done.returncode:
            return f"{program}: {done.stderr.strip()}"
    return ""


def main() -> int:
    """Compare the cases of some files, or of all, in a network namespace of our own."""
    if "--can-run" in sys.argv:
        reason = unavailable()
        sys.stdout.write(reason)
        return int(reason != "")
    if "--inside" not in sys.argv:
        return subprocess.run(
            ["unshare", "-n", sys.executable, __file__, "--inside", *sys.argv[1:]], check=False
        ).returncode
    run("ip", "link", "set", "lo", "up")
    make_sets()
    names = [argument for argument in sys.argv[1:] if argument != "--inside"]
    families = ["4", "6"]
    if names[:1] == ["--plugins"]:
        registry._load = lambda kind, name: ()
        families = [names[1]]  # libxtables cannot change its mind
        del names[:2]
    files = [Path(name) for name in names] or sorted(CASES.glob("*/*.txt"))
    count = bad = 0
    for file in files:
        prepare(file)
        for case in [case for case in cases(file) if str(case.family) in families]:
            count += 1
            found = differences(case)
            if found:
                bad += 1
                sys.stdout.write(f"{case.place}: {' '.join(case.words)}" + "\n")
                for line in found:
                    sys.stdout.write(f"    {line}" + "\n")
    sys.stdout.write(f"{count} cases, {bad} differ" + "\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
