"""TLS: contexts from the options, certificates by name, renewed while serving."""
