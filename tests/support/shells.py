"""Shells, run for real, that say what they would complete lines with."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Shell:
    """A shell that says what it would complete a line with, each offer as the whole last word."""

    def __init__(self, command: str, environment: dict[str, str], folder: Path) -> None:
        self.command = command  # whose file is read
        self.environment = environment
        self.folder = folder

    def offers(self, *lines: str) -> list[set[str]]:
        raise NotImplementedError


class Bash(Shell):
    """Calls the function with the words that bash cuts: at blanks, and around runs of ":" and "="."""

    script = r"""
source "$ROOT/completions/bash/$COMMAND" || exit
while IFS= read -r COMP_LINE; do
    mapfile -t COMP_WORDS <<<"$(printf '%s' "$COMP_LINE" | grep -oE '[^[:blank:]:=]+|[:=]+')"
    [[ $COMP_LINE != *[[:blank:]] ]] || COMP_WORDS+=("")
    COMP_POINT=${#COMP_LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    declared=$(complete -p "${COMP_LINE%% *}") || exit
    declared=${declared#*-F }
    COMPREPLY=()
    "${declared%% *}" "${COMP_LINE%% *}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" --end--
done
"""

    def offers(self, *lines: str) -> list[set[str]]:
        output = subprocess.run(
            ["bash", "--norc", "--noprofile", "-c", self.script],
            env={**self.environment, "ROOT": ROOT, "COMMAND": self.command},
            input="".join([f"{line}\n" for line in lines]),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert not output.stderr
        answers = output.stdout.split("--end--\n")[:-1]
        return [
            {self._kept(line) + word for word in answer.splitlines() if word}
            for line, answer in zip(lines, answers, strict=True)
        ]

    @staticmethod
    def _kept(line: str) -> str:
        """Return what bash leaves of the last word in front of what it replaces."""
        word = line.rpartition(" ")[2]
        return word[: max(word.rfind(":"), word.rfind("=")) + 1]


class Fish(Shell):
    """Asks ``complete -C``."""

    def offers(self, *lines: str) -> list[set[str]]:
        script = (
            'source "$ROOT/completions/fish/$COMMAND.fish"\nwhile read -l line\ncomplete -C $line\necho --end--\nend'
        )
        output = subprocess.run(
            ["fish", "--no-config", "-c", script],
            env={**self.environment, "ROOT": ROOT, "COMMAND": self.command},
            input="".join([f"{line}\n" for line in lines]),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert not output.stderr
        answers = output.stdout.split("--end--\n")[:-1]
        return [{offer.partition("\t")[0] for offer in answer.splitlines()} for answer in answers]


class Zsh(Shell):
    """Types lines on a terminal and notes what the completion system is given."""

    setup = r"""
PS1=; unset zle_bracketed_paste; fpath=($ROOT/completions/zsh $fpath)
autoload -Uz compinit && compinit -u -D; LISTMAX=10000
compadd() {
    local -a hits before
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    builtin compadd -A hits "$@"; print -rl -- "$IPREFIX"${^hits} >>$NOTES; builtin compadd "$@"
}
note() { : >$NOTES; zle list-choices; mv $NOTES $NOTES.done; BUFFER= }
zle -N note; bindkey '^T' note; : >$NOTES.ready
"""

    def offers(self, *lines: str) -> list[set[str]]:
        notes = str(self.folder / "notes")
        child, terminal = pty.fork()
        if child == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**self.environment, "ROOT": ROOT, "NOTES": notes})  # noqa: S606  # on a terminal
        try:
            os.write(terminal, f"source {self._file()}\n".encode())
            self._wait(terminal, f"{notes}.ready")
            answers = []
            for line in lines:
                os.write(terminal, f"{line}\x14".encode())
                self._wait(terminal, f"{notes}.done")
                with open(f"{notes}.done") as file:
                    answers.append({re.sub(r"\\(.)", r"\1", word) for word in file.read().split("\n") if word})
                os.unlink(f"{notes}.done")
            return answers
        finally:
            os.close(terminal)  # hangs it up
            os.waitpid(child, 0)

    def _file(self) -> str:
        path = self.folder / "setup.zsh"
        path.write_text(self.setup)
        return str(path)

    @staticmethod
    def _wait(terminal: int, path: str) -> None:
        """Read what the shell prints until it has made a file."""
        printed, end = b"", time.monotonic() + 60
        while not os.path.exists(path):
            assert time.monotonic() < end, printed.decode(errors="replace")
            if select.select([terminal], [], [], 0.05)[0]:
                printed += os.read(terminal, 65536)


SHELLS = {"bash": Bash, "zsh": Zsh, "fish": Fish}
