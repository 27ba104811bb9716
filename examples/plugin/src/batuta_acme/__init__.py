"""Plugins for Batuta, as an example. Nothing is imported here: each is loaded when somebody asks for it."""
