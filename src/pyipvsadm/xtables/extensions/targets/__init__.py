"""Targets: a module each, named as after -j, in small letters."""
