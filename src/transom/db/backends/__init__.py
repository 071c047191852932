"""One folder for each database, behind the seam in `base`."""
