"""The host side of gradvec: what runs inside Inkscape, in Inkscape's own Python.

It finds the picture, hands its bytes to the engine, shows progress and places the result. It needs inkex, lxml and
the standard library; the files of the ``gradvec`` package that it shares with the engine are standard library only.
"""
