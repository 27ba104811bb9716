"""One module per revision, with an `upgrade` only: going back is restoring a backup."""
