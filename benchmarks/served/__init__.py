"""What benchmarks of the running house share: a database, a house, data, load, and the raw limits beside them."""
