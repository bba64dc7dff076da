"""Talktime: prepaid communications credits, charged call by call in real time."""

from importlib.metadata import version

__version__ = version("talktime")
