"""Usage reports, calls, minute pools, dial-out from meetings, blocked users."""
