"""Effects on the cluster: cordon, drain and return through the scheduler that owns the jobs."""
