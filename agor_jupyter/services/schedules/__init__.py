"""Work that starts by itself: schedules, their slots, and what makes one come."""
