"""The rules: deciding, rating, ledger. Pure Python, standard library only; no clock and no I/O."""
