"""The command line: arguments in, text or JSON out. What it does can all be done from Python too."""
