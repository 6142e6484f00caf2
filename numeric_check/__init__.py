"""Floating-point confirmation: the meta-learning problem sampled from its definition, and verdicts.

Plain NumPy; independent of the symbolic engine, with which it shares no formula.
"""

from numeric_check.decay import decay_rate, judge_decay
from numeric_check.estimate import Estimate
from numeric_check.executor import Executor, ProcessExecutor, SerialExecutor
from numeric_check.sample import Sample
from numeric_check.seeds import seed_for
from numeric_check.setting import Setting
from numeric_check.simulate import run_until, simulate
from numeric_check.verdict import Verdict, draws_needed, judge

__all__ = [
    "Estimate",
    "Executor",
    "ProcessExecutor",
    "Sample",
    "SerialExecutor",
    "Setting",
    "Verdict",
    "decay_rate",
    "draws_needed",
    "judge",
    "judge_decay",
    "run_until",
    "seed_for",
    "simulate",
]
