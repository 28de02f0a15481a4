"""What operators decide about parking sites, and the pages on which they do."""
