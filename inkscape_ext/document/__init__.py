"""The artist's document: its pictures, what gradvec drew, styles and gradients, and how coordinates lead to each other.

Spaces: *root* = user units of the document; *picture* px = the whole picture as it is shown, origin top left; *local* =
the user units in which an element's own coordinates are written.
"""
