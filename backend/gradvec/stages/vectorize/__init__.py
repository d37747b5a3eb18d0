"""Any picture as paths, layer by layer, without painting first (the idea of LIVE, Ma et al., CVPR 2022).

    picture -> largest coherent errors -> whole regions -> traced starts -> all paths refined together -> next stage

Where LIVE starts every path as a small circle, a path starts here from the contour of the region that it is to show.
The command line reads vectorize.schedule before it needs anything heavy, so nothing is imported here.
"""
