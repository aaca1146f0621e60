"""What people type: the commands, each in a file of its own. Nothing below imports from here."""
