"""Scenes are tiny here."""

from single_thread import one_thread  # noqa: F401 - a fixture of every test in this folder
