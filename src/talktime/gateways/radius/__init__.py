"""RADIUS (RFC 2865, 2866, 5176): a client asks before a call, and accounts for it."""
