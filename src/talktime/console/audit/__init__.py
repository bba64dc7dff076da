"""The audit log: who changed what, of an organisation and of all of them."""
