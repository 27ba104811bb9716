"""What Batuta loads: the assets and their rules; the queries over the year are the files in `gold/`."""
