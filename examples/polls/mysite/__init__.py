"""The site: which apps it has and where they answer."""
