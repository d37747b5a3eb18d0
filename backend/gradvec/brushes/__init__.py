"""Brushes: differentiable maps from a few numbers to an outline and the axis of a gradient."""
