"""The command ``pyipvsadm``: a click application on the public Python API."""
