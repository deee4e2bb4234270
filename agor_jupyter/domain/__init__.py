"""What things are: frozen records, ids, errors and state machines. No I/O, no clock, nothing async."""
