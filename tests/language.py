# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the rules of style that a tool can check: see "Style" in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_WORDS = 25
# Each pattern is a whole word or phrase in any letter case.
FORBIDDEN = re.compile(
    r"""\b(?:
      mend(?:s|ed|ing)? | stands?(?!-) | stood | beside | wins? | won(?!'t\b) | lacks? | lacked | whoever | whom
    | under\ way | g[ai]ves?\ up | giv(?:en|ing)\ up | for\ good | of\ its\ own | other\ than
    | hears? | heard | speaks? | spoken? | tells | told | (?:can't|cannot)\ tell | minds | knows | wants
    | says\ to | what\ is\ given | left\ out | left\ alone | anew
    | (?<!make\ )(?<!no\ )rooms?(?!\ (?:for|left)\b) | floors? | houses?
    | (?<!there\ )is\ no(?=\ )(?!\ longer\b)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
# Sentences that begin with a relative clause, or with a pronoun in place of a noun.
BEGINNING = re.compile(r"(?:What|Who|Whom|Whose|Whoever|Which|One that|One who|Those (?:that|who|of)|That which|Of)\b")
ADVERBS = ("Of course",)
MARKUP = (
    (re.compile(r"(`+).+?\1", re.DOTALL), "X"),  # a code span in Markdown or reStructuredText
    (re.compile(r"\b(?:C|V|O|E|RV|M|P|SV)\((?:\\.|\([^()]*\)|[^()\\])*\)"), "X"),  # a name or value in Ansible's markup
    (re.compile(r"\b[LR]\(((?:\\.|[^\\,()])*),[^()]*\)"), r"\1"),
    (re.compile(r"\b[BI]\(((?:\\.|[^\\()])*)\)"), r"\1"),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),  # a link in Markdown
    (re.compile(r"<?\bhttps?://[^\s)>]+>?"), "X"),
    (re.compile(r"&\w+;"), " "),
    (re.compile(r"\*\*|__"), ""),
    (re.compile(r"(?<!\w)'[^'\n]*(?: --?\w|=)[^'\n]*'"), "X"),  # a command in quotes
    (re.compile(r"\bX(?:,? (?:and |or )?X\b)+"), "X"),  # a list of names is one name
)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")
# The constructors of errors, and functions that build or send a text for the user.
ERROR = re.compile(
    r"(?:^|_)(?:error|failure|refused|damaged|warn|warning|fail_json)$|^_?build_|Error$|^_?Refused$|^Damaged$"
)
PROGRAMMING_ERRORS = ("ValueError", "TypeError", "KeyError", "OSError", "RuntimeError", "NotImplementedError")
# Names of variables, attributes and functions that give the output of another program.
OUTPUT = re.compile(r"(?:^|_)(?:output|stdout|stderr|said|excerpt|tail|last_lines)$|^unwrap$")
TEXT_FUNCTION = re.compile(
    r"(?:^|_)(?:lines?|text|shorten|quote|redact)(?:$|_)|^(?:str|getattr|decode|join|replace|r?strip|splitlines|split)$"
)
PLACEHOLDER = "{}"


class Text(NamedTuple):
    """A piece of prose and the line where it begins."""

    line: int
    text: str


def find_faults(text: str) -> list[str]:
    """Return what is wrong with ``text``: plain text, or one paragraph in Markdown or in Ansible's markup."""
    prose = _strip_markup(text)
    faults = [
        f"forbidden: {found.group()!r} in {_shorten(prose, found.start())!r}" for found in FORBIDDEN.finditer(prose)
    ]
    if ";" in prose:
        faults.append(f"semicolon in {_shorten(prose, prose.index(';'))!r}")
    for sentence in SENTENCE_END.split(prose):
        words = count_words(sentence)
        if words > MAX_WORDS:
            faults.append(f"{words} words: {sentence.strip()!r}")
        if BEGINNING.match(sentence) and not sentence.startswith(ADVERBS) and not sentence.rstrip().endswith("?"):
            faults.append(f"beginning of {sentence.strip()!r}")
    return faults


def count_words(sentence: str) -> int:
    """Return the number of words. Names, values and placeholders count as one word each."""
    return sum(1 for word in sentence.split() if re.search(r"\w|\{\}", word))


def _strip_markup(text: str) -> str:
    for pattern, replacement in MARKUP:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def _shorten(text: str, position: int) -> str:
    return text[max(0, position - 30) : position + 40]


# --- Markdown ---------------------------------------------------------------------------------------------------------


def list_paragraphs(markdown: str) -> Iterator[Text]:
    """Yield the paragraphs, list items, headings and table cells of a page. Code blocks and comments are left."""
    start, parts, in_code, in_comment = 0, [], False, False
    for number, line in enumerate([*markdown.splitlines(), ""], 1):
        stripped = line.strip()
        if re.match(r"(?:```|~~~)", stripped):
            in_code = not in_code
            stripped = ""
        elif in_code:
            continue
        in_comment = in_comment or stripped.startswith("<!--")
        if in_comment:
            in_comment = "-->" not in stripped
            stripped = ""
        is_item = re.match(r"(?:[*+-]|\d+\.)\s", stripped)
        if parts and (not stripped or is_item or stripped.startswith(("#", "|"))):
            yield Text(start, " ".join(parts))
            parts = []
        if stripped.startswith("|"):
            yield from (Text(number, cell.strip()) for cell in re.split(r"(?<!\\)\|", stripped) if cell.strip(" :-"))
        elif stripped.startswith("#"):
            # A heading is not a sentence: the question mark keeps the rule of beginnings out.
            yield Text(number, stripped.strip("# ") + "?")
        elif stripped:
            start = start if parts else number
            parts.append(re.sub(r"^(?:[*+-]|\d+\.)\s+", "", stripped))


# --- Python -----------------------------------------------------------------------------------------------------------


def list_messages(source: str) -> Iterator[tuple[Text, list[str]]]:
    """Yield the texts that a user may read from Python code, each with the faults of its placeholders.

    These are the arguments of error constructors, and every other literal that has the shape of a sentence.
    """
    tree = ast.parse(source)
    _set_parents(tree)
    documentation = set(_list_documentation(tree))
    for node in ast.walk(tree):
        if node in documentation or not _is_outermost_text(node) or _is_programming_error(node):
            continue
        parts = _flatten(node)
        text = "".join(part if isinstance(part, str) else PLACEHOLDER for part in parts)
        if _is_in_error(node) or _is_sentence(text):
            yield Text(node.lineno, text), _find_output(parts, text, _list_outputs(node))


def _set_parents(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node


def _list_documentation(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the docstrings, and what ansible-doc reads, which has its own test."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).isupper():
            name = ast.unparse(node.targets[0])
            if name in ("DOCUMENTATION", "EXAMPLES", "RETURN") or name.endswith("DOCUMENTATION"):
                yield node.value


def _is_text(node: ast.AST) -> bool:
    """Whether ``node`` is a literal, an f-string, or a sum with one of these."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_outermost_text(node: ast.AST) -> bool:
    parent = getattr(node, "parent", None)
    if isinstance(parent, (ast.JoinedStr, ast.FormattedValue)):
        return False
    is_in_sum = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add)
    return _is_text(node) and not (is_in_sum and _is_text(parent))


def _flatten(node: ast.AST) -> list[str | ast.expr]:
    """Return the parts of a text: literals as strings, everything else as nodes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in _flatten(value)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _flatten(node.left) + _flatten(node.right)
    return [node]


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _list_calls(node: ast.AST) -> Iterator[str]:
    """Yield the names of the functions whose arguments contain ``node``, up to its statement."""
    while not isinstance(node, ast.stmt):
        parent = node.parent
        if isinstance(parent, ast.Call) and node is not parent.func:
            yield _name_of(parent.func)
        elif isinstance(parent, (ast.Compare, ast.Subscript)):
            return
        node = parent


def _is_in_error(node: ast.AST) -> bool:
    text = "".join(part for part in _flatten(node) if isinstance(part, str))
    return " " in text.strip() and any(ERROR.search(name) for name in _list_calls(node))


def _is_programming_error(node: ast.AST) -> bool:
    return any(name in PROGRAMMING_ERRORS for name in _list_calls(node))


def _is_sentence(text: str) -> bool:
    """Whether ``text`` has the shape of a sentence. Patterns, SQL-like words in capitals and paths do not."""
    if not re.match(r"[\"'(]?(?:[A-Z][a-z']*|rclone|\{\}) ", text) or re.search(r"[\\|\[\]]", text):
        return False
    return count_words(text) > 3 and (text.rstrip().endswith((".", "?", "!")) or count_words(text) > 5)


def _find_output(parts: list[str | ast.expr], text: str, variables: set[str]) -> list[str]:
    """Return a fault for each placeholder that puts the output of another program before the end of the text."""
    return [
        f"output in the middle: {ast.unparse(part)} in {text!r}"
        for index, part in enumerate(parts)
        if not isinstance(part, str) and _has_output(part, variables) and not _is_at_the_end(parts[index + 1 :])
    ]


def _list_outputs(node: ast.AST) -> set[str]:
    """Return the variables of the function around ``node`` that are computed from the output of another program."""
    while not isinstance(node, (ast.FunctionDef, ast.Module)):
        node = node.parent
    variables: set[str] = set()
    assigned = [inner for inner in ast.walk(node) if isinstance(inner, ast.Assign)]
    for _round in assigned:  # a variable may be computed from another one
        for assignment in assigned:
            if _has_output(assignment.value, variables):
                variables.update(target.id for target in assignment.targets if isinstance(target, ast.Name))
    return variables


def _has_output(part: ast.AST, variables: set[str]) -> bool:
    """Whether ``part`` contains such output as text. A function that does not return a text of it ends the search."""
    if isinstance(part, ast.Call):
        name = _name_of(part.func)
        if not (OUTPUT.search(name) or TEXT_FUNCTION.search(name)):
            return False
    elif isinstance(part, (ast.Name, ast.Attribute)):
        if OUTPUT.search(_name_of(part)) or _name_of(part) in variables:
            return True
    elif isinstance(part, ast.Constant):
        return isinstance(part.value, str) and bool(OUTPUT.search(part.value))  # getattr(error, "stderr")
    return any(_has_output(child, variables) for child in ast.iter_child_nodes(part))


def _is_at_the_end(parts: list[str | ast.expr]) -> bool:
    return all(isinstance(part, str) for part in parts) and "".join(parts).strip(" .…'\")\n") == ""
