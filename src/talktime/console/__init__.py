"""What people see in a browser, and the tables: Django, its models and its migrations."""
