"""What leaves gradvec for print, cutting and plotting: PDF, EPS, large PNGs, parts that do not overlap, pen lines."""
