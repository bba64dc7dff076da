"""The start page, sign-in, and the organisation's page."""
