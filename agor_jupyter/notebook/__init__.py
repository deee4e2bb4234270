"""The API for notebook cells: cheap handles on what the server knows. They speak HTTP and keep no state of their own."""
