"""What the parameters and assumptions that a user sets mean, in words."""

from __future__ import annotations

from collections.abc import Mapping

PARAMETERS: Mapping[str, str] = {
    "n_t": "training points of a task at meta-training",
    "n_v": "validation points of a task at meta-training",
    "n_r": "target points that the model adapts to at the test",
    "m": "tasks at meta-training",
    "p": "parameters of the linear model",
    "sigma": "standard deviation of the label noise",
    "nu": "variability of tasks: root mean square of |w - w_0|",
    "alpha_t": "learning rate of the inner loop at meta-training",
    "alpha_r": "learning rate of the adaptation at the test",
    "dist0_sq": "|omega_0 - w_0|^2, squared distance of the start of the outer loop from the mean task",
    "Sigma": "covariance of inputs, p x p: Sigma=@file.npy (general covariance)",
    "Sigma_w": "covariance of task parameters, p x p: Sigma_w=@file.npy",
    "F": "fourth moment E (x^T Sigma x) x x^T of the inputs, F=@file.npy",
}
# what a parameter is where it is left out, as text; any other must be given
DEFAULTS: Mapping[str, str] = {"dist0_sq": "0", "F": "Gaussian"}
ASSUMPTIONS: Mapping[str, str] = {
    "inner_steps": "gradient steps of the inner loop at meta-training, 1 to 8 (default 1)",
    "adaptation_steps": "gradient steps at the test, 1 to 8 (default 1)",
    "inputs": "law of the entries: gaussian, rademacher, uniform, laplace, or kurtosis:VALUE with E u^4 = VALUE (3 for a Gaussian)",
    "covariance": "of inputs and tasks: identity or general (default identity)",
    "split": "separate or reused: validation on the training data (default separate)",
    "noise_val": "label-noise standard deviation of validation data where it differs from sigma",
    "order": "leading or next: orders of the expansion that are kept (default leading)",
}
# the forms in which the answer to a moment query is written
MOMENT_LANGUAGES = ("latex", "text", "sympy", "python", "c")
