"""Reads the words of a simple command: one program with its arguments, which no shell would take for anything else.

What is not plainly that has no words: quoting that shells read differently, expansions, substitutions, redirections, several commands,
variables set before a command. Better to ask once too often.
"""

import re
from typing import TypeGuard

from agor_jupyter.domain.records import JsonObject

_SHELL_COMMANDS = ("command", "cmd", "commandLine", "command_line")
_PROGRAMS = ("code", "script")
"""They may be of any language."""
_WRAPPED = ("input", "args", "arguments", "params", "parameters")
_MAX_DEPTH = 3
_MAX = 10_000
_BARE = r"[A-Za-z0-9_./:=,@%+*?\[\]-]"
_WORD = re.compile(rf"(?:{_BARE}|'[^'\\]*'|\"[^\"\\$`!]*\")+")
_BREAK = re.compile(" +")
_QUOTES = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[.*\])?\+?=")
_SHELLS = re.compile(r"(?:/bin/|/usr/bin/)?(?:sh|bash|dash|zsh)")
_RUNS_IN_SHELL = ("-c", "-lc")
_WRAPPERS = re.compile(
    r"sudo|doas|su|env|exec|eval|coproc|trap|command|builtin|source|\.|nohup|nice|ionice|time|timeout|xargs|parallel|setsid|stdbuf|script"
    r"|watch|flock|chroot|unshare|nsenter|bwrap|strace|ltrace|gdb|ssh|find"
)
_INTERPRETERS = re.compile(
    r"(?:(?:ba|da|z|k|fi|c|tc)?sh|python|node|deno|bun|perl|ruby|php|lua|Rscript|osascript|npx|pnpx|bunx|uvx|pipx)[0-9.]*"
)


def inner(given: JsonObject) -> JsonObject:
    """A tool's input itself, where an agent has put it into another object."""
    for _ in range(_MAX_DEPTH):
        held = [value for name in _WRAPPED if isinstance(value := given.get(name), dict)]
        if len(held) != 1 or _named(given):
            break
        given = held[0]
    return given


def spoken(given: JsonObject) -> str | list[str] | None:
    """The command in a tool's input, in the forms that agents use: text, or a list of arguments. The first that is named counts."""
    given = inner(given)
    for name in _named(given):
        found, more = given[name], given.get("args", given.get("arguments"))
        if isinstance(found, str) and found:
            return [found, *more] if _is_texts(more) else f"{found} {more}" if isinstance(more, str) and more else found
        if _is_texts(found):
            return list(found)
    return None


def of_input(given: JsonObject) -> list[str] | None:
    """The words of the command in a tool's input, when it is one simple command and named once."""
    given = inner(given)
    named = _named(given)
    if len(named) != 1 or named[0] not in _SHELL_COMMANDS:
        return None
    if isinstance(given.get("args", given.get("arguments")), str):
        return None
    found = spoken(given)
    return read(found) if isinstance(found, str) else read_arguments(found) if found else None


def sole(given: JsonObject) -> str | None:
    """The text in a tool's input that is run, when it is the only one named: a line of shell, or as `program` says it."""
    given = inner(given)
    named = _named(given)
    if len(named) != 1 or given.get("args") is not None or given.get("arguments") is not None:
        return None
    found = given[named[0]]
    if not isinstance(found, str):
        return None
    return found if named[0] in _SHELL_COMMANDS else program(str(given.get("language")), found)


def program(language: str, text: str) -> str:
    """A program as no line of shell reads."""
    return f"#!{language}\n{text}"


def _named(given: JsonObject) -> list[str]:
    return [name for name in (*_SHELL_COMMANDS, *_PROGRAMS, "value") if given.get(name) is not None and not isinstance(given[name], dict)]


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def read(command: str) -> list[str] | None:
    """The words of `command` as a shell would hand them to the program; `None` when it is not one simple command."""
    text = command.strip(" \n")
    if not 0 < len(text) <= _MAX or not text.isprintable():
        return None
    words, at = [], 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            return None
        words.append(_QUOTES.sub(lambda match: match[1] if match[1] is not None else match[2], found[0]))
        gap = _BREAK.match(text, found.end())
        at = gap.end() if gap else found.end()
    return None if _ASSIGNMENT.match(words[0]) else words


def read_arguments(arguments: list[str]) -> list[str] | None:
    """The words of a command that is given as a list. `["bash", "-lc", "git status"]` is what the shell is told to run."""
    if len(arguments) == 3 and _SHELLS.fullmatch(arguments[0]) and arguments[1] in _RUNS_IN_SHELL:
        return read(arguments[2])
    if not arguments or any(re.fullmatch(rf"(?:{_BARE}| )+", word) is None for word in arguments) or _ASSIGNMENT.match(arguments[0]):
        return None
    return list(arguments)


def why_too_wide(prefix: list[str]) -> str | None:
    """Why commands that begin so could be any command; `None` when they cannot."""
    program = prefix[0].rpartition("/")[2]
    if _ASSIGNMENT.match(prefix[0]):
        return "it sets a variable; name the command itself"
    if _WRAPPERS.fullmatch(program):
        return f"{program} runs whatever follows it; name that command instead"
    if _INTERPRETERS.fullmatch(program) and all(word.startswith("-") for word in prefix[1:]):
        return f"{program} runs whatever follows it; name the script or the module too"
    return None
