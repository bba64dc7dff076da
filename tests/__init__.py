"""Tests; the folders mirror src/talktime."""
