"""The drop-in commands: argv in, bytes and an exit status out."""
