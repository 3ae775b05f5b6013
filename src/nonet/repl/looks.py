"""Themes: the colours of the prompt and the tree, and of the lines that `nonet.render` styled.

"auto" uses the terminal's own palette, which suits light and dark alike.
"""

from __future__ import annotations

import re

from prompt_toolkit.styles import Style

_TREE = {
    "auto": {"verified": "ansigreen", "unverified": "ansiyellow", "failed": "ansired", "accent": "ansicyan"},
    "dark": {"verified": "#8fd18f", "unverified": "#e6c36a", "failed": "#ff8a80", "accent": "#7fc8ff"},
    "light": {"verified": "#1b6e1b", "unverified": "#8a5a00", "failed": "#b00020", "accent": "#00558b"},
    "contrast": {"verified": "bold", "unverified": "underline", "failed": "reverse", "accent": "bold"},
    "mono": {"verified": "", "unverified": "", "failed": "", "accent": ""},
}
_LINES = {
    "dark": {"green": "#8fd18f", "yellow": "#e6c36a", "red": "#ff8a80", "cyan": "#7fc8ff"},
    "light": {"green": "#1b6e1b", "yellow": "#8a5a00", "red": "#b00020", "cyan": "#00558b"},
    "contrast": {"green": "bold", "yellow": "underline", "red": "reverse", "cyan": "bold", "dim": ""},
    "mono": {"green": "", "yellow": "", "red": "", "cyan": "", "dim": "", "bold": ""},
}
_COLOUR = re.compile(r"(?:on )?(?:#[0-9a-f]{6}|color\(\d+\)|bright_\w+|\b(?:black|blue|magenta|white|default)\b)")


def prompt_style(theme: str) -> Style:
    """Of what is redrawn."""
    colours = _TREE[theme]
    quiet = "" if theme in {"contrast", "mono"} else "ansibrightblack" if theme == "auto" else "#808080"
    return Style.from_dict(
        {
            "prompt": f"{colours['accent']} bold",
            "tree.head": quiet,
            "tree.stopping": "bold",
            "tree.bar": quiet,
            "tree.name": "bold",
            "tree.specialist": colours["accent"],
            "tree.tail": quiet,
            "tree.quiet": quiet,
            "tree.waiting": quiet,
            "tree.working": "bold",
            "tree.verified": colours["verified"],
            "tree.unverified": colours["unverified"],
            "tree.failed": colours["failed"],
            "bottom-toolbar": "noreverse" if theme == "mono" else "reverse",
        }
    )


def line_style(style: str, theme: str) -> str:
    """A style of `nonet.render` in the theme's colours."""
    table = _LINES.get(theme)
    if table is None or not style:
        return style
    if theme in {"mono", "contrast"}:
        style = _COLOUR.sub("", style)
    return " ".join(word for part in style.split() if (word := table.get(part, part)))
