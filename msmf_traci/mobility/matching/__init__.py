"""Online map matching: from positions to roads."""
