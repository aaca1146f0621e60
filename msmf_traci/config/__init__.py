"""What the user may ask for: names, types, ranges; the only place where user input is judged."""
