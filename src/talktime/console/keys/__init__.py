"""Pages about an organisation's own API keys."""
