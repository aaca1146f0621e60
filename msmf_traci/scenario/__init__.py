"""Where scenarios come from (a synthetic city, an OpenStreetMap extract); not how they are run."""
