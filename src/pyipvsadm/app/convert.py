"""``pyipvsadm convert``: a state in another form."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from pyipvsadm import documents
from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.app.errors import Trouble, warn
from pyipvsadm.app.state import FORMS, Services
from pyipvsadm.snapshot import save

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.app.state import Form, Place, State
    from pyipvsadm.iptables import Ruleset
    from pyipvsadm.kinds import Kind

_ENDINGS: Final[dict[str, Form]] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
_MOST_WARNINGS: Final = 10

_EPILOG = """\b
Examples:
  pyipvsadm convert web.rules --to yaml
  pyipvsadm convert live --kind iptables -o rules.json
  pyipvsadm convert rules.json --to dump | iptables-restore -c

Exit status: 0 written, 2 trouble."""


@click.command(epilog=_EPILOG)
@options.state("file", default=states.STDIN)
@click.option("--to", type=click.Choice(FORMS), help="The form to write, where the ending of -o's FILE does not tell.")
@click.option("--from", "form", type=click.Choice(FORMS), help="The form to read, where the content does not tell.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write there, not to standard output.")
@options.kind
@options.place
def command(file: str, to: Form | None, form: Form | None, output: str | None, kind: Kind | None, place: Place) -> None:
    """Write virtual servers or tables of rules in another form.

    FILE is a dump (of ipvsadm-save, iptables-save or ip6tables-save), a document in JSON or YAML, a sandbox, "live", or
    "-" for standard input, which it is where none is named. The forms are dump, json and yaml; the documents are told
    of in docs/json.md, and commands that take a STATE take them.

    What the form cannot hold is told on standard error.
    """
    to = to or _ENDINGS.get(os.path.splitext(output or "")[1].lower())
    if to is None:
        raise Trouble(f"say with --to what to write: {', '.join(FORMS)}")
    found = states.read(file, place, kind, form)
    text, lost = text_of(found, to)
    for line in islice(lost, _MOST_WARNINGS):
        warn(f"{found.source}: a dump cannot hold {line}")
    more = sum(1 for _ in lost)
    if more:
        warn(f"{found.source}: and {more} more such things")
    data = text.encode("utf-8", "surrogateescape")
    if output is None or output == states.STDIN:
        click.echo(data, nl=False)
        return
    with open(output, "wb") as target:
        target.write(data)


def text_of(found: State, to: Form) -> tuple[str, Iterator[str]]:
    """Return a state in a form, and lines about what is not in it."""
    if isinstance(found, Services):
        snapshot = found.snapshot
        state: documents.State = documents.VirtualServers(
            found.services, timeouts=snapshot.timeouts, daemons=snapshot.daemons
        )
    else:
        state = found.ruleset
    if to != "dump":
        return documents.dump(documents.document(state), to), iter(())
    if isinstance(found, Services):
        text = save(found.snapshot)
    else:
        from pyipvsadm import iptables

        text = iptables.save(found.ruleset, counters=_is_counted(found.ruleset))
    return text, documents.losses(state, text)


def _is_counted(ruleset: Ruleset) -> bool:
    """Whether a rule has counted anything: a dump without counters stays one."""
    return any(
        rule.counters.packets or rule.counters.bytes
        for table in ruleset.tables
        for one in table.chains
        for rule in one.rules
    )
