"""Many pictures: which become which drawings, who paints them, what came of it."""
