"""How you ask from a cell: cheap handles on what the server knows. They speak HTTP and hold no truth of their own."""
