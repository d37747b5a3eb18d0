"""What the artist sees besides the document: progress, windows, words, the selection."""
