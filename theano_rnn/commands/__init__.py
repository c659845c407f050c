"""What the commands share: arguments, output, error messages and exit statuses.

The commands themselves are in `scripts/`.
"""
