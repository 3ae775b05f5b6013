"""Source code cut along its functions and classes, by the grammar of its language. Runs in a child process.

Imported only there (`parser_child`): a few thousand brackets in a row keep a grammar busy for hours.
"""

from __future__ import annotations

from importlib import import_module

from nonet.specialists.budget import Span

_GRAMMARS = {
    ".py": "tree_sitter_python", ".pyi": "tree_sitter_python", ".js": "tree_sitter_javascript",
    ".mjs": "tree_sitter_javascript", ".cjs": "tree_sitter_javascript", ".jsx": "tree_sitter_javascript",
    ".go": "tree_sitter_go", ".rs": "tree_sitter_rust", ".java": "tree_sitter_java", ".c": "tree_sitter_c",
    ".h": "tree_sitter_c",
}  # fmt: skip
CODE_SUFFIXES = frozenset(_GRAMMARS)


def along_functions(text: str, suffix: str, capacity: Span) -> list[Span]:
    """Spans that cover the text without overlap; none where the grammar of the language is not installed."""
    try:
        language = import_module(_GRAMMARS[suffix]).language()
    except ImportError:  # an extra: without it code is cut by lines
        return []
    from semantic_text_splitter import CodeSplitter  # noqa: PLC0415

    spans: list[Span] = []
    for start, chunk in CodeSplitter(language, capacity, trim=False).chunk_indices(text):
        if spans and not chunk.strip():  # empty lines at the end go with what stands before them
            spans[-1] = (spans[-1][0], start + len(chunk))
        else:
            spans.append((start, start + len(chunk)))
    return spans
