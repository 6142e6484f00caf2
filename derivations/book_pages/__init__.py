"""What the cells of the book call; nothing else imports it."""
