"""One file for each revision, never edited after release."""
