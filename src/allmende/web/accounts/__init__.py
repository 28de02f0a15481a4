"""Who people are: users, tokens, rights, and the log of what was done."""
