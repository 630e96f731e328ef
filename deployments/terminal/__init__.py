"""What the command line is made of: the server it asks, what it reads, how it waits and how it draws."""
