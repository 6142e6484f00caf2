"""How to cite the edition and the paper, and the formulas as code: from `CITATION.cff` and the derived steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from derivations.book_pages.html import Markdown
from derivations.formulas.by_name import source_code
from derivations.language.meanings import DEFAULTS, PARAMETERS
from derivations.publishing.citation import citation
from derivations.publishing.pages import assumptions_in_force
from derivations.typeset.term_order import name_latex

ENTRIES = {"software": "software", "conference-paper": "inproceedings"}


def _authors(item: Mapping[str, Any]) -> str:
    names = [one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in item["authors"]]
    return " and ".join(f"{{{name}}}" if "," not in name else name for name in names)


def bibtex(item: Mapping[str, Any], key: str) -> str:
    """An item of the citation file as an entry of BibTeX."""
    year = item.get("year") or str(item["date-released"])[:4]
    fields = {"title": f"{{{item['title']}}}", "author": _authors(item), "year": str(year)}
    fields |= {"booktitle": item["collection-title"]} if "collection-title" in item else {}
    fields |= {"version": str(item["version"])} if "version" in item else {}
    for identifier in item.get("identifiers", ()):
        fields["note"] = identifier["value"]
    fields |= {"url": item["url"]} if "url" in item else {}
    body = "".join(f",\n  {name} = {{{value}}}" for name, value in fields.items())
    return f"@{ENTRIES[item['type']]}{{{key}{body}\n}}"


def cite() -> Markdown:
    """Both entries, the edition's and the paper's, with version and date."""
    found = citation()
    paper = found["references"][0]
    said = f"Version {found['version']} of {found['date-released']}. {found['message']}"
    entries = "\n\n".join([bibtex(found, "negative-rates-edition"), bibtex(paper, "bernacchia2021")])
    return Markdown(f"{said}\n\n```bibtex\n{entries}\n```\n")


def source(name: str, language: str = "python") -> Markdown:
    """A formula as source, as `derive show` prints it."""
    parts = source_code(name, language, assumptions_in_force()).values()
    text = "\n\n".join(re.sub(r"\n{3,}", "\n\n", part).strip() for part in parts)
    return Markdown(f"```{language}\n{text}\n```\n")


def parameters() -> Markdown:
    """The parameters of the formulas: how a program calls them, what they mean, what they are when left out."""
    rows = [
        f"| ${_in_cell(name_latex(name))}$ | `{name}` | {_readable(meaning)}{_left_out(name)} |"
        for name, meaning in PARAMETERS.items()
    ]
    return Markdown("\n".join(["| Symbol | In programs | Meaning |", "|---|---|---|", *rows]) + "\n")


def _left_out(name: str) -> str:
    return f"; {_readable(DEFAULTS[name])} where it is left out" if name in DEFAULTS else ""


def _in_cell(formula: str) -> str:
    """A bar would end the cell of a table."""
    return formula.replace("|", r"\vert ")


def _readable(text: str) -> str:
    """A meaning with its formulas as mathematics and its commands as code, for a cell of a table."""
    text = re.sub(r"(\w+=@\w*\.npy)", r"`\1`", text)
    text = text.replace("|omega_0 - w_0|^2", r"$\lvert\omega_0-w_0\rvert^2$").replace(
        "|w|", r"$\lvert w\rvert$"
    )
    text = text.replace("E (x^T Sigma x) x x^T", r"$\mathbb{E}\,(x^T\Sigma x)xx^T$")
    return text.replace("p x p", r"$p\times p$")
