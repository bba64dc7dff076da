"""What the clock does: supervision of holds and lots, forgetting, the daily proof of the books."""
