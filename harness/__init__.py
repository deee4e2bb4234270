"""Real things around the engine, for tests and benchmarks: servers and their clients, a model that plays a script, and the real agents."""
