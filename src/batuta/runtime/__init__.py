"""Inside the process of user code: loading, contexts, running steps, logs, results. Imports stdlib and msgspec only."""
