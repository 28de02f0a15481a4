"""Questions in SQL over files that everybody may read, each answered by a process that can do nothing else."""
