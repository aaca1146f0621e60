"""Readers of files of any kind, below everything that reads: what is there, text in any encoding, XML, CSV, columns of numbers."""
