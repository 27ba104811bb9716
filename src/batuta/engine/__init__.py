"""Drives runs: hears what happens, records it, and does what the state machine wishes."""
