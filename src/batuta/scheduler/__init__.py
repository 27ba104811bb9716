"""What runs unattended: locations, ticks, the queue, backfills, alerts; each a duty with a thread of its own."""
