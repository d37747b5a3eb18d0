"""What comes in and goes out: pictures, folders of strokes, SVG."""
