"""Where a virtual server table lives: in the kernel, or in memory."""
