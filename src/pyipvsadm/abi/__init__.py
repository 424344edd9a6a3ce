"""Numbers of the kernel's user-space headers, under their C names."""
