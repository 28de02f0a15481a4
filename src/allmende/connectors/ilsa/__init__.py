"""Traffic signals as ILSA readers see them: which lamps are lit, and how the installation is set up."""
