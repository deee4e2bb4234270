"""Times as a person types them."""


def moment(text: str) -> str:
    """A day or a time without a zone is UTC, as all that is shown here."""
    text = text if "T" in text or " " in text else f"{text}T00:00:00"
    return text if text.endswith("Z") or "+" in text else f"{text}Z"
