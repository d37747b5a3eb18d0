"""Editing of strokes that gradvec inserted: finding them, taking them to the engine, bringing results back.

Spaces: *root* = user units of the document; *picture* px = the whole picture as it is shown, origin top left; *local* =
the user units in which an element's own coordinates are written.
"""
