"""Talktime: prepaid communications credits, charged call by call in real time."""

__version__ = "0.1.0"
