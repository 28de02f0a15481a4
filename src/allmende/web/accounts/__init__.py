"""Who people are: users, tokens, rights."""
