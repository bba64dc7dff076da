"""The charging engine: queues in front of synchronous execution, and caches of what calls need."""
