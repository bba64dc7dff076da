"""What an organisation was told: the list, each mail as its reader sees it, sending it again."""
