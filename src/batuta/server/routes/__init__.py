"""The paths of the API, by what they are about. A handler finds, asks, and shapes the answer; it decides nothing."""
