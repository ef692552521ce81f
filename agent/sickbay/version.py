"""The version of the distribution, in the one place that the build reads it from.

Asking the installed metadata for it would load the readers of mail and of archives: 2.9 MB in a daemon that
should weigh 60.
"""

__version__ = "0.1.0"
