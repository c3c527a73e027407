"""The subcommands of ``compression-explorer``, one a file.

Each has `add`, which adds its parser. What is heavy is imported when a command runs.
"""
