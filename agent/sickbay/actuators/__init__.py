"""Effects on this host: each is performed only under a grant, and only once a grant."""
