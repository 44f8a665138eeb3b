"""The version of the package, in a file that a build reads without importing anything else."""

VERSION = "0.1.0"
