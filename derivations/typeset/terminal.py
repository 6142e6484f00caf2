"""Lines as a terminal can show them: within its width, and left sides without LaTeX."""

from __future__ import annotations

import re
import shutil
import textwrap

# of a label in LaTeX what a terminal cannot show, in order, and what stands for it there
_READ_AS = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (r"\\(?:text|mathrm|mathbb|operatorname)\{([^{}]*)\}", r" \1 "),
        (r"\\t?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)"),
        (r"\\t?frac\s*(\d)\s*\{([^{}]*)\}", r"\1/(\2)"),
        (r"\\t?frac\s*(\d)(\d)", r"\1/\2"),
        (r"\\(?:[bB]igg?[lr]?|left|right|bar|hat|tilde)(?![a-zA-Z])", ""),
        (r"\\le(?![a-zA-Z])", "<="),
        (r"\\ge(?![a-zA-Z])", ">="),
        (r"\\ne(?![a-zA-Z])", " != "),
        (r"\\to(?![a-zA-Z])", " -> "),
        (r"\\pm(?![a-zA-Z])", "+-"),
        (r"\\infty(?![a-zA-Z])", "inf"),
        (r"\\star(?![a-zA-Z])", "*"),
        (r"\\[,;:! ]", " "),
        (r"\\([a-zA-Z]+)", r"\1 "),
        (r"sum ?_\{(\w+)=(\w+)\} ?\^(\w)", r"sum_{\1=\2..\3} "),
        (r"\^\{([^{}]*)T\}", r"^{\1}'"),
        (r"\^T", "'"),
        (r"\^\{\}", ""),
        (r"\{(\w)\}", r"\1"),
        (r"([}')])(?=[a-zA-Z])", r"\1 "),
        (r"\s+", " "),
        (r" ?([\^_]) ?", r"\1"),
    )
)


def label_text(label: str) -> str:
    """A left side as it can be read in a terminal: `E_X^v A X^vT` for its LaTeX."""
    shown = str(label)
    for pattern, read in _READ_AS:
        shown = pattern.sub(read, shown)
    return shown.strip()


def width() -> int:
    """The columns of the terminal, or a hundred where there is none."""
    return max(40, shutil.get_terminal_size((100, 24)).columns)


def wrapped(line: str, indent: str = "") -> str:
    """A line within the width of the terminal, what follows indented further."""
    return textwrap.fill(
        line, width(), initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
    )
