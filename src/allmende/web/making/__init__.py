"""Sources that are made in the browser, without code: bring a file, say what its columns are, look, propose."""
