"""The package's errors: each text is one sentence for the user, so that the command line can show it as it is."""


class MsmfError(Exception):
    """An error whose text is one sentence for the user: what is wrong, where, and what to do."""


class InputError(MsmfError):
    """The user's input is wrong; nothing has been started."""


class ToolError(MsmfError):
    """A program of SUMO failed; the text quotes its last lines."""
