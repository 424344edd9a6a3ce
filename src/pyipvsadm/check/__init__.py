"""What is wrong with dumps of ipvsadm-save, iptables-save and ip6tables-save, found without root or kernel.

    from pyipvsadm import check

    for finding in check.run(open("rules.v4").read()):
        print(finding.line, finding.code, finding.message)

Nothing is asked of the system but the names of ports, protocols and users; host names are left alone. What can be found
is in ``check.FINDINGS``, and in docs/check with examples. Documents (``documents.source``) are checked as dumps are.
"""

from __future__ import annotations

from pyipvsadm.check.catalogue import FINDINGS, kind_of, kinds_of
from pyipvsadm.check.checker import detect, run, run_together
from pyipvsadm.check.finding import SEVERITIES, Finding, FindingKind, Source
from pyipvsadm.check.formats import Checked, as_index, as_json, as_lines, as_list, as_page, as_sarif
from pyipvsadm.kinds import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.check.finding import DumpKind as DumpKind
    from pyipvsadm.check.finding import Severity as Severity

__all__ = [
    "FINDINGS",
    "KINDS",
    "SEVERITIES",
    "Checked",
    "Finding",
    "FindingKind",
    "Source",
    "as_index",
    "as_json",
    "as_lines",
    "as_list",
    "as_page",
    "as_sarif",
    "detect",
    "kind_of",
    "kinds_of",
    "run",
    "run_together",
]
