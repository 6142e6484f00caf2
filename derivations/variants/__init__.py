"""Changed assumptions against simulation."""
