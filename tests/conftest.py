"""Property tests draw the same examples every time: a failure in CI is a failure at the desk."""

from hypothesis import settings

settings.register_profile("house", derandomize=True, max_examples=60, deadline=None)
settings.load_profile("house")
