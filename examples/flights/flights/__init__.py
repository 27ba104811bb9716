"""All 336,776 flights that left New York in 2013: where they are read from, and the tables made of them."""
