"""A picture drawn with lines: where they run, how wide they are, and the drawing refined as a whole."""
