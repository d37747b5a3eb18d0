"""Gradients fitted to pixels, and when a simpler fill looks the same."""
