"""Where tables are: the kernel, or memory."""
