from string import ascii_lowercase, ascii_uppercase

ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def file_key(name: str) -> str:
    """Kusto's `=~` and `in~` fold ASCII letters and nothing else, so file identity does the same."""
    return name.translate(ASCII_LOWER)
