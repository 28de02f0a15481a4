"""The back office: what a city changes of its profile in the browser, with drafts, four eyes and undo."""
