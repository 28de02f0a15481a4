"""What the columns of a stranger's table seem to be, each guess with its reason. It reads no files."""
