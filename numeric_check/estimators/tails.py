"""Which sampled quantities have a mean and a variance at all.

Errors of omega* along a singular direction of B grow like the inverse of its singular value, so moments of
the loss exist as far as small singular values are rare: P(smallest < e) ~ e^a for small e, with Gaussian
inputs and a = |p - n_v m| + 1 (p is the rank of Sigma here). The mean of 1/e^2 is finite for a > 2, its
variance for a > 4.

A positive alpha_t adds a second way in the underparameterized regime: |A_i^K v| < e for a given direction v
needs an eigenvector of A_i within e of v, p - 1 conditions, and an eigenvalue below e^(1/K). For all m tasks,
and some v out of p - 1 dimensions of them, a = (m - 1)(p - 1) + m/K.

In the overparameterized regime it does so from three inner steps on: B_i B_i^T of one task has an eigenvalue below e^2 where the j
least of |1 - alpha_t l/n_t|, l the eigenvalues of X_t^T X_t, are below e^(1/K), for which their repulsion leaves e^(j (j + 1)/2K), and a
row is within e of the span of the others in the p - j other directions. The likeliest j is that at which 1/K, 2/K, ... reach one.

Atomic input laws take finitely many values, so every moment is finite; but inputs of different tasks then
coincide with probability about 2^-p or more, and near alpha_t = 0, where such a coincidence makes B nearly
singular, the loss of that rare draw grows like 1/alpha_t^2. Sample them at sizes p of a few tens, or at rates
of order one.
"""

from __future__ import annotations

import math
from fractions import Fraction

from numeric_check.problem.setting import Setting


def task_exponent(steps: int, n_t: int, n_v: int, p: int) -> Fraction:
    """The exponent a of one task's B_1 at alpha_t > 0, after so many gradient steps and with p > n_v.

    Its label noise exceeds t with a chance of about t^(-a/2), times a power of log t where j/K = 1 occurs.
    """
    room = p - n_v + 1
    near = min(n_t, room)
    return sum((min(Fraction(j, steps), Fraction(1)) for j in range(1, near + 1)), Fraction(room - near))


def nothing_amplified(tasks: float, spread: float, *noise: float) -> bool:
    """Whether there is nothing that small singular values could amplify: no label noise, and a single task or tasks all alike.

    spread: of the tasks, as nu. noise: the standard deviations of labels.
    """
    return (tasks == 1 or spread == 0) and not any(noise)


def tail_exponent(setting: Setting) -> float:
    """The exponent a above for Gaussian inputs; infinite where no error is amplified.

    That is so for atomic input laws (finitely many values), and without label noise for a single task and for tasks that are all alike.
    """
    s, p = setting, setting.rank
    spread = s.nu if s.Sigma_w is None else math.inf
    if s.law.atomic or nothing_amplified(s.m, spread, s.sigma, s.sigma_v):
        return math.inf
    exponent = float(abs(p - s.validation_points) + 1)
    if s.alpha_t <= 0 or s.split != "separate":
        return exponent
    if p < s.validation_points:
        return min(exponent, (s.m - 1) * (p - 1) + s.m / s.inner_steps)
    if s.inner_step is None and (s.sigma or s.sigma_v):
        return min(exponent, float(task_exponent(s.inner_steps, s.n_t, s.n_v, p)))
    return exponent


def mean_is_finite(setting: Setting) -> bool:
    """Whether the mean loss and E|omega* - w_0|^2 are finite."""
    return tail_exponent(setting) > 2


def variance_is_finite(setting: Setting) -> bool:
    """Whether one draw of them has a finite variance, so that standard errors mean what they say."""
    return tail_exponent(setting) > 4
