"""What the central signal control tells of its controllers, and what it tells them. Read only."""
