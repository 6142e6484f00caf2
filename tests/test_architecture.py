"""The house rules that a machine can hold: imports, resolution, modules of a folder, forbidden constructs, silenced tests.

Each rule is shown to catch a violation.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Collection, Iterator
from io import StringIO
from pathlib import Path

import pytest

from derivations.steps.contents import CONTENTS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("symbolic", "numeric_check", "derivations")
MODULES = tuple(sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")))
PAGES = tuple(sorted((ROOT / "book").glob("*.md")))


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("package", PACKAGES)
def test_generic_package_name_resolves_inside_the_repository(package: str) -> None:
    found = importlib.import_module(package).__file__
    assert found is not None
    assert Path(found).resolve() == ROOT / package / "__init__.py"


# Import contracts


def check_contracts(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--no-cache",
        "--config",
        str(tree / "pyproject.toml"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_import_contracts_hold(tree: Path) -> None:
    result = check_contracts(tree)
    assert result.returncode == 0, result.stdout
    assert re.search(r"\b0 broken", result.stdout)


@pytest.mark.parametrize(
    ("package", "statement"),
    [
        ("symbolic", "import numpy"),
        ("symbolic", "import numeric_check"),
        ("symbolic", "import derivations"),
        ("numeric_check", "import sympy"),
        ("numeric_check", "from flint import fmpz"),
        ("numeric_check", "import symbolic"),
        ("numeric_check", "from derivations.steps import contents"),
    ],
)
def test_import_contract_catches_a_violation(package: str, statement: str, tree: Path) -> None:
    (tree / package / "violation.py").write_text(statement + "\n", encoding="utf-8")
    result = check_contracts(tree)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{package}.violation" in result.stdout


# Rooms one can take in at a glance

MOST_MODULES = 15


def crowded(tree: Path) -> dict[str, int]:
    """Folders with more modules than a reader takes in at a glance, and how many they hold."""
    folders = {path.parent for path in tree.rglob("*.py")}
    counts = {
        folder.relative_to(tree).as_posix(): len([p for p in folder.glob("*.py") if p.stem != "__init__"])
        for folder in folders
    }
    return {name: count for name, count in counts.items() if count > MOST_MODULES}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_room_holds_few_modules(package: str) -> None:
    assert crowded(ROOT / package) == {}


def test_a_crowded_room_is_seen(tmp_path: Path) -> None:
    for k in range(MOST_MODULES + 1):
        (tmp_path / f"m{k}.py").touch()
    assert crowded(tmp_path) == {".": MOST_MODULES + 1}


def repeated(trees: tuple[Path, ...]) -> dict[str, set[str]]:
    """Module names that occur in more than one package, with those packages."""
    found: dict[str, set[str]] = {}
    for tree in trees:
        for path in tree.rglob("*.py"):
            found.setdefault(path.stem, set()).add(tree.name)
    return {name: where for name, where in found.items() if len(where) > 1 and name != "__init__"}


def test_no_module_name_occurs_in_two_packages() -> None:
    assert repeated(tuple(ROOT / name for name in PACKAGES)) == {}


def test_a_repeated_module_name_is_seen(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "letters.py").touch()
    assert repeated((tmp_path / "one", tmp_path / "two")) == {"letters": {"one", "two"}}


# A module of the paper opens with what it states

ROW = re.compile(r"^ *(-|(?:\(\d+\))+) +([a-z0-9-]+)  +(\S.*)$", re.MULTILINE)


def table(source: str) -> list[tuple[str, str]]:
    """Slug and equations of each line of the table in a module's docstring, in its order."""
    found = ROW.findall(ast.get_docstring(ast.parse(source)) or "")
    return [(slug, " ".join(re.findall(r"\d+", numbers))) for numbers, slug, _ in found]


@pytest.mark.parametrize("module", CONTENTS)
def test_module_opens_with_the_table_of_its_steps(module: str) -> None:
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    assert table(path.read_text(encoding="utf-8")) == [*CONTENTS[module].items()]


def test_table_shows_what_it_leaves_out() -> None:
    lines = (
        "    (5)(81)  theorem-1  the loss",
        "    -        figure-1",
        "    (6)      h-t        its factor",
    )
    assert table('"""A part.\n\n' + "\n".join(lines) + '\n"""') == [("theorem-1", "5 81"), ("h-t", "6")]


# Forbidden constructs

CALLS = {"eval", "exec", "compile", "sympify", "parse_expr", "__import__"}
IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
REMARKS = re.compile(r"noqa|type:\s*ignore|pragma: no cover|\bTODO\b|\bFIXME\b|\bXXX\b")


def forbidden(source: str) -> Iterator[str]:
    """The forbidden constructs of a module: text run as code, pickles, silenced checks, loose ends."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"{name}("
            case ast.Call(func=ast.Attribute(value=ast.Name(id="sympy" | "builtins"), attr=name)) if (
                name in CALLS
            ):
                yield f"{name}("
            case ast.Import(names=aliases):
                yield from (alias.name for alias in aliases if alias.name.partition(".")[0] in IMPORTS)
            case ast.ImportFrom(module=str(module), names=aliases):
                if module.partition(".")[0] in IMPORTS:
                    yield module
                yield from (alias.name for alias in aliases if alias.name in CALLS)
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                yield "allow_pickle=True"
            case ast.Raise(
                exc=ast.Name(id="NotImplementedError") | ast.Call(func=ast.Name(id="NotImplementedError"))
            ):
                yield "NotImplementedError"
    yield from remarks(source)


def remarks(source: str) -> Iterator[str]:
    """The comments of a module that silence a check or leave an end loose."""
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT and (found := REMARKS.search(token.string)):
            yield found.group()


SILENT = {"skip", "skipif", "xfail", "importorskip"}


def silenced(source: str) -> Iterator[str]:
    """What silences a test: skips, expected failures, and comments that keep a check quiet."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in SILENT:
            if ast.unparse(node.value) in ("pytest", "pytest.mark", "mark", "unittest"):
                yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name in SILENT)
    yield from remarks(source)


TESTS = tuple(sorted((ROOT / "tests").rglob("*.py")))


def test_no_test_is_silenced() -> None:
    found = {str(path): list(silenced(path.read_text(encoding="utf-8"))) for path in TESTS}
    assert len(found) > 200
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\n\n\n@pytest.mark.skip\ndef test_a(): ...",
        "import pytest\n\n\n@pytest.mark.skipif(True, reason='')\ndef test_a(): ...",
        "import pytest\n\n\n@pytest.mark.xfail(strict=True)\ndef test_a(): ...",
        "import pytest\n\n\ndef test_a():\n    pytest.skip('later')",
        "from pytest import importorskip",
        "x: int = ''  # type: ignore",
    ],
)
def test_what_silences_a_test_is_caught(source: str) -> None:
    assert list(silenced(source))


@pytest.mark.parametrize("name", names(MODULES))
def test_module_has_no_forbidden_construct(name: str) -> None:
    assert list(forbidden((ROOT / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "exec('x = 1')",
        "import sympy\nsympy.sympify('x')",
        "from sympy import sympify",
        "from sympy.parsing.sympy_parser import parse_expr",
        "import pickle",
        "from pickle import loads",
        "import numpy as np\nnp.load('a.npy', allow_pickle=True)",
        "import os  # noqa",
        "x: int = ''  # type: ignore",
        "x = 1  # TODO",
        "def f():\n    raise NotImplementedError",
    ],
)
def test_forbidden_construct_is_caught(source: str) -> None:
    assert list(forbidden(source))


def test_methods_called_eval_are_not_forbidden() -> None:
    assert list(forbidden("polynomial.eval(3)\nre.compile('a')")) == []


# Pages render; they never define a formula

CELL = re.compile(r"^(`{3,})\{code-cell\}[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
LONGEST_CELL = 4
# what readers do on the pages that are theirs to try: they draw, and say what is new
EXAMPLES = {"book/check_one.md": ("numpy",), "book/own_assumption.md": ("numpy", "fractions", "math")}


def cells(page: str) -> Iterator[str]:
    """The code of each cell of a page, without its options."""
    for match in CELL.finditer(page):
        body = re.sub(r"\A---\n.*?^---\n", "", match.group(2), flags=re.MULTILINE | re.DOTALL)
        yield re.sub(r"\A(:[^\n]*\n)+", "", body)


def page_faults(page: str, also: Collection[str] = ()) -> Iterator[str]:
    """Cells that do more than render: other imports than `derivations` and the names of `symbolic`, or more than a few lines."""
    for cell in cells(page):
        if len(cell.strip().splitlines()) > LONGEST_CELL:
            yield f"a cell of {len(cell.strip().splitlines())} lines"
        for node in ast.walk(ast.parse(cell)):
            match node:
                case ast.Import(names=aliases):
                    modules = [alias.name for alias in aliases]
                case ast.ImportFrom(module=module):
                    modules = [module or ""]
                case _:
                    continue
            fit = {"derivations", *also}
            yield from (n for n in modules if n.partition(".")[0] not in fit and n != "symbolic")


@pytest.mark.parametrize("name", names(PAGES))
def test_page_only_renders(name: str) -> None:
    assert list(page_faults((ROOT / name).read_text(encoding="utf-8"), EXAMPLES.get(name, ()))) == []


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import sympy", ["sympy"]),
        ("from numpy import array", ["numpy"]),
        (":tags: [remove-input]\nfrom symbolic.algebra import words", ["symbolic.algebra"]),
        ("x = 1\n" * 5, ["a cell of 5 lines"]),
        ("---\ntags: [hide-input]\n---\nfrom derivations.book_pages import cards\ncards.show('eq5')", []),
    ],
)
def test_page_that_computes_is_caught(code: str, fault: list[str]) -> None:
    assert list(page_faults(f"# A page\n\n```{{code-cell}} ipython3\n{code}\n```\n")) == fault


# Proofs are made of moves, and moves by the rules of a chain alone


def hand_made(source: str) -> list[str]:
    """What a module does to put a move or a part into a proof that no rule has produced."""
    inner = {"made", "_moves", "_parts", "_named", "_averaged", "_substitute"}
    return [
        node.attr if isinstance(node, ast.Attribute) else "Move("
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and node.attr in inner)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Move")
    ]


def test_only_the_rules_of_a_chain_make_moves() -> None:
    papers = [
        name for name in names(MODULES) if name.startswith(("derivations/paper", "derivations/variants"))
    ]
    assert papers
    assert {
        name: found for name in papers if (found := hand_made((ROOT / name).read_text(encoding="utf-8")))
    } == {}


@pytest.mark.parametrize(
    "source", ["chain.made(move)", "chain._moves[0] = move", "chain._parts['x'] = y", "Move(rule)"]
)
def test_a_move_made_by_hand_is_caught(source: str) -> None:
    assert hand_made(source)


# Seeds


def unused_seeds(text: str) -> list[str]:
    """Functions that take a seed, or a generator, and do not use it: what they draw would be the same for every seed."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and not _is_stub(node):
            taken = {one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
            used = {one.id for part in node.body for one in ast.walk(part) if isinstance(one, ast.Name)}
            if (taken & {"seed", "base_seed", "generator"}) - used:
                found.append(node.name)
    return found


def _is_stub(node: ast.FunctionDef) -> bool:
    return all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in node.body)


def test_a_seed_that_is_taken_is_used() -> None:
    assert {
        str(path): found for path in MODULES if (found := unused_seeds(path.read_text(encoding="utf-8")))
    } == {}


def test_an_unused_seed_is_noticed() -> None:
    assert unused_seeds("def draw(step, seed):\n    return step") == ["draw"]
    assert unused_seeds("def draw(step, seed):\n    return step + seed") == []
