"""Added input laws and assumptions, one module each; `derivations.language.extension.load_extensions` loads them."""
