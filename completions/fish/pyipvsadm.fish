# fish completion of pyipvsadm(8); click, which pyipvsadm is made with, writes and answers it.
_PYIPVSADM_COMPLETE=fish_source pyipvsadm | source
