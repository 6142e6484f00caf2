"""The paper: assumptions, the model written as matrix words, proof steps, verification and the command `derive`."""
