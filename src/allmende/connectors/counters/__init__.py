"""People and bicycles that are counted: files and answers of Eco-Counter and hystreet."""
