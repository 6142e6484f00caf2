"""A missing program makes the run smaller and says so; under CI it makes the run fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SUITE = """
import pytest

@pytest.mark.browser
def test_in_a_browser(): pass

@pytest.mark.crosscheck
def test_against_form(): pass

@pytest.mark.slow
def test_slow(): pass

def test_fast(): pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_sample.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "programs").mkdir()
    return tmp_path


def run(suite: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("CI", "CHROMIUM", "FORM")
    }
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST")}
    environment.update(PATH=str(suite / "programs"), **variables)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", *options]
    return subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_what_is_left_out_is_named_with_the_remedy(suite: Path, options: tuple[str, ...]) -> None:
    result = run(suite, *options)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 passed" in result.stdout
    assert "LEFT OUT tests marked `browser`: no Chromium" in result.stdout
    assert "LEFT OUT tests marked `crosscheck`: no FORM" in result.stdout
    assert "    tests/test_sample.py" in result.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_under_ci_a_missing_program_is_an_error(suite: Path, options: tuple[str, ...]) -> None:
    result = run(suite, *options, CI="true")
    assert result.returncode == 1
    assert "no Chromium or Chrome was found" in result.stdout
    assert "no FORM binary was found" in result.stdout
    assert "2 passed" in result.stdout
    assert "LEFT OUT" not in result.stdout


def test_with_every_program_all_tests_run_the_fast_ones_first(suite: Path) -> None:
    for program in ("chromium", "form"):
        (suite / "programs" / program).write_text("#!/bin/sh\n", encoding="utf-8")
        (suite / "programs" / program).chmod(0o755)
    result = run(suite, CI="true")
    assert result.returncode == 0, result.stdout
    assert "4 passed" in result.stdout
    assert "LEFT OUT" not in result.stdout
    order = [result.stdout.index(f"::{name}") for name in ("test_fast", "test_slow", "test_against_form")]
    assert order == sorted(order)
