"""The symbols and letters of the paper, the model (1)-(30), assumptions, normal form, values."""
