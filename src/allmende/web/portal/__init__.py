"""The portal: the frame around the services, the pages about the house itself, and the map's ground."""
