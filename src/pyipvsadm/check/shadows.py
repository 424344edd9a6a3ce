"""Rules that no packet comes to, because of the rules before them in their chain.

A rule is compared with few others: earlier ones are kept by what they ask for exactly (networks, protocol, interfaces,
one port, a match that is not understood), and looked up by what the rule asks for.
"""

from __future__ import annotations

from pyipvsadm.check.flow import ABOUT_IT, ANYTHING
from pyipvsadm.check.packets import contains
from pyipvsadm.xtables import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final, Literal

    from pyipvsadm.check.flow import Flow, Step
    from pyipvsadm.check.packets import Matched

    Why = Literal["contradiction", "duplicate", "shadowed", "unreachable"]
    Shape = tuple[int, int, bool, bool, bool, bool, bool, bool]

# Tables have few shapes of rules, and few rules with the same key; where one has many, only so many are looked at.
_MOST_SHAPES: Final = 500
_MOST_COMPARED: Final = 100


def unmatched(flow: Flow, chain: str) -> Iterator[tuple[Step, Why, Step | None]]:
    """Yield the rules of a chain that never match or are there twice, why, and the earlier rule that is the cause.

    Of those after a rule that decides about every packet only the first.
    """
    index = _Index()
    twins: dict[tuple[object, ...], tuple[Step, int, int]] = {}
    # How often a packet may have been changed before a rule.
    changed = remade = 0
    end: Step | None = None
    for step in flow.steps[chain]:
        if end is not None:
            yield step, "unreachable", end
            return
        matched = step.matched
        if matched.never:
            yield step, "contradiction", None
            continue
        twin_key = _identity(step)
        twin = twins.get(twin_key)
        if twin and twin[2] == remade and (twin[1] == changed or not matched.changeable):
            yield step, "duplicate", twin[0]
            continue
        earlier = index.container_of(matched, changed)
        if earlier is not None:
            yield step, "shadowed", earlier
            if not earlier.matched.changeable:
                continue
        if step.decides and matched.known:
            if matched.anything:
                end = step
            else:
                index.add(step, changed)
        if flow.is_pure(step):
            twins[twin_key] = step, changed, remade
        if step.changes >= ABOUT_IT:
            changed += 1
        if step.changes >= ANYTHING:
            remade += 1
            index = _Index()


def _identity(step: Step) -> tuple[object, ...]:
    rule = step.rule
    target = entry.identity(rule.target) if rule.target else b""
    return rule.header, tuple([entry.identity(block) for block in rule.matches]), target, rule.jump


class _Index:
    """The rules of a chain so far that decide, found by what they ask for."""

    def __init__(self) -> None:
        self._shapes: dict[Shape, dict[tuple[Any, ...], list[tuple[Step, int]]]] = {}

    def add(self, step: Step, changed: int) -> None:
        """Keep a rule; ``changed`` is how often packets may have been changed before it."""
        matched = step.matched
        shape: Shape = (
            matched.src[1] if matched.src and not matched.src[2] else 0,
            matched.dst[1] if matched.dst and not matched.dst[2] else 0,
            bool(matched.proto) and not matched.proto_inverted,
            bool(matched.iniface and matched.iniface[1] and not matched.iniface[2]),
            bool(matched.outiface and matched.outiface[1] and not matched.outiface[2]),
            _single(matched.sports) is not None,
            _single(matched.dports) is not None,
            bool(matched.opaque),
        )
        if shape not in self._shapes and len(self._shapes) >= _MOST_SHAPES:
            return
        key = _key(matched, shape, min(matched.opaque, default=b""))
        if key is not None:
            self._shapes.setdefault(shape, {}).setdefault(key, []).append((step, changed))

    def container_of(self, matched: Matched, changed: int) -> Step | None:
        """Return an earlier rule that takes all packets of another one, None where none is known to."""
        left = _MOST_COMPARED
        for shape, found in self._shapes.items():
            for opaque in matched.opaque if shape[7] else (b"",):
                key = _key(matched, shape, opaque)
                if key is None:
                    break
                for step, before in found.get(key, ()):
                    left -= 1
                    if left < 0:
                        return None
                    if (before == changed or not step.matched.changeable) and contains(step.matched, matched):
                        return step
        return None


def _single(ports: tuple[tuple[int, int], ...]) -> int | None:
    return ports[0][0] if len(ports) == 1 and ports[0][0] == ports[0][1] else None


def _key(matched: Matched, shape: Shape, opaque: bytes) -> tuple[Any, ...] | None:
    """Return what a rule asks for of the things that a shape names; None where it asks for less."""
    smask, dmask, proto, iniface, outiface, sport, dport, _ = shape
    src, dst = matched.src, matched.dst
    if smask and (src is None or src[2] or src[1] & smask != smask):
        return None
    if dmask and (dst is None or dst[2] or dst[1] & dmask != dmask):
        return None
    return (
        src[0] & smask if src and smask else 0,
        dst[0] & dmask if dst and dmask else 0,
        matched.proto if proto else 0,
        matched.iniface if iniface else None,
        matched.outiface if outiface else None,
        _single(matched.sports) if sport else None,
        _single(matched.dports) if dport else None,
        opaque,
    )
