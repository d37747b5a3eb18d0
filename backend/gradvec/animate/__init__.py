"""A drawing's making as a film: stroke by stroke or layer by layer, as SVG, Lottie or frames for a film."""
