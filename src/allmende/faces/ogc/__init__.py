"""OGC API - Features (17-069r4, 18-058r1, 19-079r2) and - Tiles (20-057) over all features and over things."""
