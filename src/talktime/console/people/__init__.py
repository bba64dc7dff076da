"""People: how they sign in, their accounts, teams, the operator's staff."""
