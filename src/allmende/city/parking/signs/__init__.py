"""What the signs of a parking guidance system show: displays at masts along the streets, and those who drive them.

``model`` and ``file`` say what there is, ``rules`` decides what each display shows, ``feed`` what a controller is told.
All of these are plain Python; the time is an argument.
"""
