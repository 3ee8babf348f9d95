"""Train networks from images and labels."""
