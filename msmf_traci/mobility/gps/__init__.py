"""GPS traces of people and vehicles: files of several formats, read, cleaned, cut into pieces and chosen from; no roads, no frames."""
