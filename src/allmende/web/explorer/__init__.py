"""The explorer: any streams over any span of time, as a chart, as a table and as a file; and how a number was made."""
