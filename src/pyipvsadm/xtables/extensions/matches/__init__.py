"""Matches: a module each, named as after -m."""
