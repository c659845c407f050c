"""What the commands share: options and their help, terminal output, error messages and exit statuses.

The commands themselves are in `scripts/`. This package must not know what a command computes.
"""
