"""Questions in SQL over the open history: a page, saved and published questions, answers for programs."""
