"""One module for each command: NAME, USAGE, HELP, DESCRIPTION, EXAMPLES, add_arguments(parser), run(args)."""
