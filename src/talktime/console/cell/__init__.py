"""A cell: what an organisation owns and the engine touches (wallet, lots, calls, usage ...)."""
