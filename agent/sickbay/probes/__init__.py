"""Active checks; each runs in a child process of its own under a hard deadline."""
