"""The checks, a module for each family; what makes a check is in ``pyipvsadm.doctor.check``."""
