"""The HTTP API: what it is asked it asks the store and the scheduler; user code never runs in it."""
