"""The Diameter dialect: RFC 6733 peers, RFC 8506 credit control, TS 32.299 (Ro)."""
