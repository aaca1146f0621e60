"""The configuration's defaults and presets, as Hydra reads them."""
