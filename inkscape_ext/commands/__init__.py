"""One module a menu command; each names its class COMMAND."""
