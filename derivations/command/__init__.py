"""The command `derive`: words in, one document out."""
