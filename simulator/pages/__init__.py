"""Pages for the browser. Whatever module lies here is loaded at the start."""
