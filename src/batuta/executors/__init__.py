"""Where task runs execute. Executors are strangers to each other and pass one conformance suite."""
