"""What you can do. Every rule is here; a handler, a tool and a command call one method and answer."""
