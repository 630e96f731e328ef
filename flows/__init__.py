"""The story: one public flow per file, and a flow reads as a table of contents."""
