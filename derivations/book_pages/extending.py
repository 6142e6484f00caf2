"""The chapter on extensions: the source of each example, and its losses against simulation in both regimes."""

from __future__ import annotations

import importlib
from pathlib import Path

from derivations.book_pages import html as h
from derivations.book_pages.change import decay
from derivations.book_pages.html import Html, Markdown
from derivations.language.assumptions import read
from derivations.language.regime import Regime
from derivations.variants.losses import OVER, UNDER
from derivations.verification.verify import verify


def source(name: str) -> Markdown:
    """The complete file of an extension, as it is loaded."""
    module = importlib.import_module(f"derivations.extensions.{name}")
    path = Path(str(module.__file__))
    return Markdown(
        f"`derivations/extensions/{path.name}`\n\n```python\n{path.read_text(encoding='utf-8')}```\n"
    )


def confirmed(*words: str) -> Html:
    """Both losses under the changed assumptions against simulation over growing sizes."""
    return Html(
        "".join(
            f"<p>{h.inline(regime.title)}</p>{decay([check for check in record['checks'] if not check['move']])}"
            for regime, record in zip(Regime, verify([OVER, UNDER], read(words)), strict=True)
        )
    )
