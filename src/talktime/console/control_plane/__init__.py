"""The control plane: what all cells share (organisations, numbers, switches, rates, sign-in)."""
