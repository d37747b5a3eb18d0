"""A picture that fills the room which its window has for it, however large the artist makes the window.

GTK 3 through PyGObject, as in widgets.py.
"""

from __future__ import annotations

from gi.repository import GdkPixbuf, GLib, Gtk

#: The room at first, px; the least that the artist can make of it.
WIDE, HIGH = 640, 480
LEAST = 240
#: After so long, ms, a window has the size that it opens with.
SETTLED_MS = 1500
#: No picture is read larger than this, px: a photograph's own size would take seconds.
READ = 1600
#: How much of the ground shows through a picture that is not painted yet.
PALE = 0.55


class PictureView:
    """``widget`` goes into a window; it has no size of its own until a picture is there."""

    def __init__(self) -> None:
        self._image = Gtk.Image()
        self._shown: GdkPixbuf.Pixbuf | None = None
        self._size = (0, 0)
        self.widget = Gtk.ScrolledWindow(no_show_all=True, hexpand=True, vexpand=True)
        # A picture alone would keep its window from getting smaller; a view that scrolls without bars does not.
        self.widget.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.EXTERNAL)
        self.widget.add(self._image)
        self._image.show()
        self.widget.get_child().show()
        self.widget.connect("size-allocate", lambda *_of: GLib.idle_add(self._fit))

    def show(self, data: bytes, painted: bool = True) -> bool:
        """Shows a picture file; pale where nothing is painted yet. False where this GTK cannot read it."""
        pixbuf = _read(data)
        if pixbuf is None:
            return False
        self._shown, self._size = (pixbuf if painted else _pale(pixbuf)), (0, 0)
        if not self.widget.get_visible():
            # Asks for its room, so that the window opens as large as that, and later for less, so that it may shrink.
            self.widget.set_size_request(*_room(pixbuf.get_width(), pixbuf.get_height()))
            self.widget.show()
            GLib.timeout_add(SETTLED_MS, self._may_shrink)
        self._fit()
        return True

    def _may_shrink(self) -> bool:
        self.widget.set_size_request(LEAST, LEAST)
        return False

    def _fit(self) -> bool:
        room = self.widget.get_allocation()
        if self._shown is None or min(room.width, room.height) < 2:
            return False
        width, height = self._shown.get_width(), self._shown.get_height()
        scale = min(room.width / width, room.height / height)
        size = max(1, int(width * scale)), max(1, int(height * scale))
        if size != self._size:
            self._size = size
            self._image.set_from_pixbuf(self._shown.scale_simple(*size, GdkPixbuf.InterpType.BILINEAR))
        return False


def _room(width: int, height: int) -> tuple[int, int]:
    """The room, px, for a picture of that size: as wide or as high as :data:`WIDE` and :data:`HIGH` allow."""
    scale = min(WIDE / width, HIGH / height)
    return max(LEAST, round(width * scale)), max(LEAST, round(height * scale))


def _read(data: bytes) -> GdkPixbuf.Pixbuf | None:
    loader = GdkPixbuf.PixbufLoader()
    loader.connect("size-prepared", _smaller)
    try:
        loader.write(data)
        loader.close()
    except GLib.Error:
        return None
    pixbuf = loader.get_pixbuf()
    return None if pixbuf is None else pixbuf.apply_embedded_orientation()


def _smaller(loader: GdkPixbuf.PixbufLoader, width: int, height: int) -> None:
    scale = READ / max(width, height, 1)
    if scale < 1:
        loader.set_size(max(1, round(width * scale)), max(1, round(height * scale)))


def _pale(pixbuf: GdkPixbuf.Pixbuf) -> GdkPixbuf.Pixbuf:
    """The picture in weak colours, see-through, so that it looks unfinished on a light and on a dark ground."""
    pale = pixbuf.add_alpha(False, 0, 0, 0)
    pale.saturate_and_pixelate(pale, 0.35, False)
    faded = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, pale.get_width(), pale.get_height())
    faded.fill(0)
    pale.composite(faded, 0, 0, pale.get_width(), pale.get_height(), 0, 0, 1, 1, GdkPixbuf.InterpType.NEAREST,
                   round(255 * (1 - PALE)))
    return faded
