"""How tests run pyipvsadm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from click.testing import Result


class Run(Protocol):
    """Runs pyipvsadm with some words, in this process."""

    def __call__(self, *words: str, stdin: str | bytes = "", env: dict[str, str] | None = None) -> Result: ...
