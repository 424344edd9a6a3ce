"""What tests of several folders share; importable as ``support`` (pyproject.toml puts tests/ on the path)."""
