"""Screens for people and JSON for programs."""
