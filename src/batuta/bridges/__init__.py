"""What foreign projects become: a bridge describes one in the neutral model and runs its steps, see `bridges.port`."""
