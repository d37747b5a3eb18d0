"""Work for several processes or machines behind one seam: what is to be done goes in, what came of it comes out.

Nothing here knows pictures. pool is the seam; local and cluster are the two ways behind it.
"""
