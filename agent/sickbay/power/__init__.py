"""Effects out of band, through a host's management controller."""
