"""Colours, palettes, and what the eye sees of a difference."""
