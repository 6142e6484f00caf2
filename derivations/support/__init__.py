"""Files, processes, the store, the text of users; it knows no mathematics."""
