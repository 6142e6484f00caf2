"""How the edition is cited, and where its code is kept: the citation file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from derivations.support.sources import ROOT

CITATION = ROOT / "CITATION.cff"


@cache
def citation() -> Mapping[str, Any]:
    """The citation file as a mapping."""
    found: Mapping[str, Any] = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    return found
