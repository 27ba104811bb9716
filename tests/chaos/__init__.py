"""Tests that kill processes at random instants, and what must be true afterwards."""
