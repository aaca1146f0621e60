"""The runs of a sweep through Hydra's launchers: what is recorded beside them, which are missing, and handing those out."""
