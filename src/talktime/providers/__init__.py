"""The world outside that jobs talk to: payment providers, mail, webhooks. Calls block; all have
timeouts; none is made within a transaction."""
