"""Outlines as closed cubics: tracing, fitting, repair, self-intersection, transforms. Knows no stage."""
