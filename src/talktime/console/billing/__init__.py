"""Pages about money: an organisation's Communications Credits, and the sandbox's."""
