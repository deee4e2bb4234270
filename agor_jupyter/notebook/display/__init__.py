"""How things look in a cell or a terminal: text and HTML of handles, lines that change, tables, and the canvas."""
