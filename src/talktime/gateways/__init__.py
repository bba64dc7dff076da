"""The dialects in which switches speak to the engine."""
