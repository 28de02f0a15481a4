"""Search over described datasets: words as people write them, figures to narrow down by, places. Plain values in and
out; who may know of a dataset is decided before anything is indexed (decision 50)."""
