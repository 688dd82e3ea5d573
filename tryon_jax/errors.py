"""The one exception that command lines turn into one line and a non-zero exit."""


class UserError(Exception):
    """Something the user can mend: the message names the file or key, what is wrong and what to do."""
