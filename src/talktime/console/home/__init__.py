"""The first page of an organisation: how its credits stand, what needs somebody, what runs."""
