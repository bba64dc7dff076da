"""The charging API over HTTP, as a small ASGI application of its own."""
