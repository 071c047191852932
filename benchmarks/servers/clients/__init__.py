"""Clients for what wrk and h2load cannot do. Each is a process of its own: a bare loop over sockets, as cheap as Python gets."""
